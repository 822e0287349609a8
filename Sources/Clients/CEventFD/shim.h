#ifndef VLUMA_CEVENTFD_SHIM_H
#define VLUMA_CEVENTFD_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

// None of these is part of Swift's Glibc module.
static inline int vluma_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void vluma_name_this_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// What is free in the allocator's heaps and was not given back to the system, in bytes; and giving it back.
static inline long vluma_heap_free_bytes(void) { return (long)mallinfo2().fordblks; }
static inline void vluma_heap_give_back(void) { malloc_trim(0); }

#endif
