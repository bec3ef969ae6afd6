#include "math_adversary.h"

#include "hipaudit/math_functions.h"
#include "math_internal.h"
#include "worker.h"

namespace hipaudit {
namespace {

struct State {
  Shift shift;
  uint64_t seed;
};
State state = {Shift::none, 0};

#define HIPAUDIT_ULP(NAME, ULP) ULP,
constexpr unsigned char kDocumented[] = {HIPAUDIT_MATH_FUNCTIONS(HIPAUDIT_ULP)};

// Those that every implementation keeps within [-1, 1].
constexpr bool is_bounded(FunctionId function) {
  switch (function) {
    case FunctionId::sin:
    case FunctionId::sinf:
    case FunctionId::cos:
    case FunctionId::cosf:
    case FunctionId::sinpi:
    case FunctionId::sinpif:
    case FunctionId::cospi:
    case FunctionId::cospif:
    case FunctionId::tanh:
    case FunctionId::tanhf:
    case FunctionId::erf:
    case FunctionId::erff:
    case FunctionId::fast_sinf:
    case FunctionId::fast_cosf:
      return true;
    default:
      return false;
  }
}

uint64_t mixed(uint64_t value) {
  value = (value ^ value >> 31) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

// Units in the last place to move a result by; the same for the same result in the same lane.
int steps(int documented, uint64_t key) {
  switch (state.shift) {
    case Shift::up:
      return documented;
    case Shift::down:
      return -documented;
    case Shift::alternating:
      return (context().thread.flat & 1) == 0 ? documented : -documented;
    case Shift::random:
      return static_cast<int>(mixed(key ^ state.seed) % static_cast<uint64_t>(2 * documented + 1)) -
             documented;
    case Shift::none:
      break;
  }
  return 0;
}

// The value moved by its function's documented error. Zeros, infinities and NaN stay: they are
// exact or no numbers at all. So does a bounded function at its limit, as for infinite arguments.
// A finite result stays finite and keeps its sign.
template <typename Float, typename Bits, Bits kInfinityBits, Bits kOneBits>
Float moved(Float value, FunctionId function) {
  if (state.shift == Shift::none) return value;
  const int documented = kDocumented[static_cast<unsigned>(function)];
  const Bits bits = __builtin_bit_cast(Bits, value);
  const Bits sign = bits & ~(~Bits{0} >> 1);
  const Bits size = bits ^ sign;
  if (documented == 0 || size == 0 || size >= kInfinityBits) return value;
  const uint64_t key = static_cast<uint64_t>(bits) + (static_cast<uint64_t>(function) << 52);
  const int up = steps(documented, key);
  const auto outwards = static_cast<int64_t>(sign == 0 ? up : -up);
  int64_t target = static_cast<int64_t>(size) + outwards;
  if (target < 0) target = 0;
  if (target >= static_cast<int64_t>(kInfinityBits)) target = kInfinityBits - 1;
  if (is_bounded(function) && (size == kOneBits || target > static_cast<int64_t>(kOneBits)))
    target = kOneBits;
  return __builtin_bit_cast(Float, static_cast<Bits>(sign | static_cast<Bits>(target)));
}

}  // namespace

void set_shift(Shift shift, uint64_t seed) { state = {shift, mixed(seed)}; }

HIPAUDIT_MATH_EXPORT float hipaudit_moved_float(float value, FunctionId function) {
  return moved<float, uint32_t, 0x7f800000u, 0x3f800000u>(value, function);
}
HIPAUDIT_MATH_EXPORT double hipaudit_moved_double(double value, FunctionId function) {
  return moved<double, uint64_t, 0x7ffull << 52, 0x3ffull << 52>(value, function);
}

}  // namespace hipaudit
