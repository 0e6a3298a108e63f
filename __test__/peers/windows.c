// A program of Windows without os-ipc that uses the memory of the package, by the layout in docs/platforms.md.
//
//   read NAME OFFSET LENGTH    prints the bytes
//   write NAME OFFSET TEXT     writes the bytes
//   size NAME                  prints the size
//
// It ends with the code of the call that failed, and prints its name.

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static void fail(const char *call, DWORD code) {
  fprintf(stderr, "%s: %lu\n", call, code);
  exit(code == 0 ? 1 : (int)code);
}

static unsigned char *view(const char *name, DWORD access) {
  HANDLE mapping = OpenFileMappingA(access, FALSE, name);
  if (mapping == NULL) fail("OpenFileMapping", GetLastError());
  // The handle stays open until the program ends.
  unsigned char *bytes = MapViewOfFile(mapping, access, 0, 0, 0);
  if (bytes == NULL) fail("MapViewOfFile", GetLastError());
  return bytes;
}

int main(int count, char **words) {
  if (count < 3) fail("usage", 0);
  const char *verb = words[1], *name = words[2];
  char path[512];

  snprintf(path, sizeof path, "Local\\os-ipc.memory.%s", name);
  volatile uint64_t *header = (volatile uint64_t *)view(path, FILE_MAP_READ);
  if (memcmp((const void *)header, "osipcmem", 8) != 0) fail("the mark", ERROR_BAD_FORMAT);
  uint64_t state = header[1], size = state >> 16;
  if (size == 0) fail("the name", ERROR_FILE_NOT_FOUND);
  if (strcmp(verb, "size") == 0) {
    printf("%" PRIu64 "\n", size);
    return 0;
  }

  if (count < 5) fail("usage", 0);
  snprintf(path, sizeof path, "Local\\os-ipc.bytes.%u.%s", (unsigned)(state & 0xffff), name);
  int writes = strcmp(verb, "write") == 0;
  unsigned char *bytes = view(path, writes ? FILE_MAP_READ | FILE_MAP_WRITE : FILE_MAP_READ);
  uint64_t offset = strtoull(words[3], NULL, 10);
  uint64_t length = writes ? strlen(words[4]) : strtoull(words[4], NULL, 10);
  // The view is longer than the memory: the system rounds it up to pages.
  if (offset > size || length > size - offset) fail("the bounds", ERROR_INVALID_PARAMETER);
  if (writes) memcpy(bytes + offset, words[4], length);
  else fwrite(bytes + offset, 1, length, stdout);
  return 0;
}
