"""Driving a robot from afar: protocol, dead-man, seats, links, web server and page.

Nothing here knows ROS. What decides takes time as an argument; only `server` reads a clock.
"""
