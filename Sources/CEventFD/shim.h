#ifndef VLUMA_CEVENTFD_SHIM_H
#define VLUMA_CEVENTFD_SHIM_H

#include <sys/eventfd.h>

// <sys/eventfd.h> is not part of Swift's Glibc module.
static inline int vluma_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

#endif
