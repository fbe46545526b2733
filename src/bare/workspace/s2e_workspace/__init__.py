"""Builds the Python environment of a checkout: wheels, interface packages and the colcon overlay.

Standard library only: it runs under the system's Python before anything is installed.
"""
