"""The commands `channel ...` of the Python peer; README.md has them."""

import pathlib
import struct
import sys
import time

# The peer uses the module of the example.
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "examples" / "frames-numpy"))

from channel import BYTES, Channel, ChannelEnded, ChannelError  # noqa: E402


def channel_command(verb, name, *args):
    channel = Channel(name)
    try:
        match verb, args:
            case "send", (kind, *messages):
                for message in messages:
                    channel.send(bytes.fromhex(message), int(kind))
                return "ok"
            case "receive", _:
                return receive(channel, int(args[0]) if args else 1)
            case "stream", (count, tag, most):
                stream(channel, int(count), int(tag), int(most))
                return "ok"
            case "drain", ():
                return drain(channel)
            case "hold", ("receive",):
                channel.visit(hold)
            case "end", ():
                channel.end()
                return "ok"
    except (ChannelEnded, ChannelError):
        return "ERR_GONE"
    finally:
        channel.close()
    raise LookupError(verb)


def receive(channel, count):
    found = []
    try:
        while len(found) < count:
            kind, message = channel.receive()
            found.append(f"{kind}:{message.hex()}")
    except ChannelEnded:
        found.append("end")
    return " ".join(found)


def stream(channel, count, tag, most):
    """A message has its tag and its number, then bytes that follow from the number."""
    for number in range(count):
        length = 8 + number * 7919 % (1 << 32) % (most - 7)
        body = bytes((number + index) & 255 for index in range(8, length))
        channel.send(struct.pack("<II", tag, number) + body, BYTES)


def drain(channel):
    """Receives streams until the end; each message has to be whole, and in the order of its sender."""
    counts = {}
    for _, message in channel:
        tag, number = struct.unpack_from("<II", message)
        if number != counts.get(tag, 0):
            raise ValueError(f"message {number} of {tag} instead of {counts.get(tag, 0)}")
        counts[tag] = number + 1
        if message[8:] != bytes((number + index) & 255 for index in range(8, len(message))):
            raise ValueError(f"message {number} of {tag} is torn")
    return " ".join(f"{tag}={counts[tag]}" for tag in sorted(counts))


def hold(_kind, _view):
    print("held", flush=True)
    time.sleep(3600)
