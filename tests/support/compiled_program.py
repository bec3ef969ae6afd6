"""The part of a child's program that makes a module of its kernels' SOURCE."""

COMPILE = """
rtc = hipcalls.hiprtc()
program = call(rtc.hiprtcCreateProgram, SOURCE, b"k.hip", 0, None, None)
call(rtc.hiprtcCompileProgram, program, 0, [])
code = bytearray(call(rtc.hiprtcGetCodeSize, program))
call(rtc.hiprtcGetCode, program, code)
module = call(hip.hipModuleLoadData, code)
"""
