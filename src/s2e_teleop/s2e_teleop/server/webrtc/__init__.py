"""WebRTC by aiortc, where it is installed; `s2e_teleop.server.media` decides and loads it."""
