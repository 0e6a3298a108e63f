# Brightens an image in shared memory, and prints its sum: brighten.py NAME ROWS COLUMNS
import sys
from multiprocessing import resource_tracker, shared_memory

try:
    import numpy
except ImportError:
    sys.exit("no numpy: pip install -r examples/numpy/requirements.txt")

name, rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
memory = shared_memory.SharedMemory(name)  # the same name, without the slash
resource_tracker.unregister(memory._name, "shared_memory")  # or Python before 3.13 removes what Node made

image = numpy.ndarray((rows, columns), dtype=numpy.float64, buffer=memory.buf)  # a view, no copy
image *= 2
image[0, :] += 1  # the first row is the first 640 floats of Node's array
print(f"numpy: {image.sum():.0f}", flush=True)

del image  # the view ends before the memory
memory.close()
