"""One end of the transport test: sends, or counts, raw 640x480 images on one topic.

python transport_peer.py send FRAMES RATE
python transport_peer.py receive FRAMES SECONDS
"""

from __future__ import annotations

import json
import sys
import time

import rclpy
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import Empty, Header

WIDTH, HEIGHT = 640, 480
WARM_UP = 'warm-up'
# The reader keeps every frame, so that the transport is measured and not the scheduler of a busy
# machine; best effort, as every camera driver publishes.
QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.BEST_EFFORT
)


def send(node: rclpy.node.Node, frames: int, rate: float) -> None:
    """Publish numbered frames at a steady rate once a reader answers."""
    publisher = node.create_publisher(Image, 'image', QOS)
    ready: list[Empty] = []
    node.create_subscription(Empty, 'ready', ready.append, 1)
    while not ready:
        # That we see the reader does not say that the reader sees us: best effort, frames sent
        # before that are lost. So send empty ones until it answers.
        publisher.publish(Image(header=Header(frame_id=WARM_UP)))
        rclpy.spin_once(node, timeout_sec=0.05)
    message = Image(width=WIDTH, height=HEIGHT, encoding='rgb8', step=3 * WIDTH)
    start = time.monotonic()
    for number in range(frames):
        message.data = bytes([number % 256]) * (3 * WIDTH * HEIGHT)
        message.header.frame_id = str(number)
        publisher.publish(message)
        rest = start + (number + 1) / rate - time.monotonic()
        rclpy.spin_once(node, timeout_sec=max(0.0, rest))
        while time.monotonic() < start + (number + 1) / rate:
            rclpy.spin_once(node, timeout_sec=0.002)
    while publisher.get_subscription_count() > 0:
        rclpy.spin_once(node, timeout_sec=0.05)


def receive(node: rclpy.node.Node, frames: int, seconds: float) -> None:
    """Count whole frames until all came or the time is over; prints what arrived as JSON."""
    ready = node.create_publisher(Empty, 'ready', 1)
    whole: list[int] = []
    torn: list[int] = []

    def take(message: Image) -> None:
        if message.header.frame_id == WARM_UP:
            ready.publish(Empty())
            return
        number = int(message.header.frame_id)
        data = bytes(message.data)
        same = data == bytes([number % 256]) * (3 * WIDTH * HEIGHT)
        (whole if same else torn).append(number)

    node.create_subscription(Image, 'image', take, QOS)
    end = time.monotonic() + seconds
    while len(whole) + len(torn) < frames and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    print(json.dumps({'whole': whole, 'torn': torn}))


def main() -> None:
    """Run one end."""
    role, frames, number = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    rclpy.init()
    node = rclpy.create_node(f'transport_{role}')
    try:
        (send if role == 'send' else receive)(node, frames, number)
    finally:
        node.destroy_node()
        rclpy.shutdown()


if __name__ == '__main__':
    main()
