#ifndef VLUMA_CEVENTFD_SHIM_H
#define VLUMA_CEVENTFD_SHIM_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sys/eventfd.h>
#include <sys/prctl.h>

// Neither is part of Swift's Glibc module.
static inline int vluma_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline void vluma_name_this_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

#endif
