#pragma once

extern "C" {
_Float16 hipaudit_truncate_to_bfloat(double value);
_Float16 hipaudit_truncate_float_to_bfloat(float value);
_Float16 hipaudit_truncate_to_half(double value);
}
