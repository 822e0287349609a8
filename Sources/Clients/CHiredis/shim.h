#ifndef VLUMA_CHIREDIS_SHIM_H
#define VLUMA_CHIREDIS_SHIM_H

#include <hiredis/hiredis.h>

#endif
