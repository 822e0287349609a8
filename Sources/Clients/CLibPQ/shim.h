#ifndef VLUMA_CLIBPQ_SHIM_H
#define VLUMA_CLIBPQ_SHIM_H

#include <libpq-fe.h>

#endif
