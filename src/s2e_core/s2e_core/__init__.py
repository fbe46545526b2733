"""The robot-side core of S2E navigation: records, geometry, policy contract, following and safety.

Everything here is plain NumPy and OpenCV, takes time as an argument and never prints.
"""
