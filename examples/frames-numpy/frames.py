# Receives frames as numpy arrays, and sends the mean of each one back: frames.py FRAMES MEANS ROWS COLUMNS
import json
import sys

from channel import JSON, Channel, ChannelEnded

try:
    import numpy
except ImportError:
    sys.exit("no numpy: pip install -r examples/numpy/requirements.txt")

frames, means = Channel(sys.argv[1]), Channel(sys.argv[2])
shape = int(sys.argv[3]), int(sys.argv[4])


def mean(kind, view):
    image = numpy.frombuffer(view, dtype=numpy.float32).reshape(shape)  # the channel's memory, no copy
    return float(image.mean())


count = 0
while True:
    try:
        result = frames.visit(mean)
    except ChannelEnded:
        break
    means.send(json.dumps({"mean": result}).encode(), JSON)
    count += 1
print(f"numpy: {count} frames", flush=True)
frames.close()
means.close()
