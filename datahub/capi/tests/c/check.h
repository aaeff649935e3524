/* What the C tests share: a check that says where it failed. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "datahub.h"

#define CHECK(fact)                                                                       \
    do {                                                                                  \
        if (!(fact)) {                                                                    \
            fprintf(stderr, "%s:%d: %s\nlast error: %s\n", __FILE__, __LINE__, #fact,     \
                    datablock_last_error());                                              \
            exit(EXIT_FAILURE);                                                           \
        }                                                                                 \
    } while (0)

/* The call returns this code and leaves a message. */
#define REFUSED(code, call)                                                               \
    do {                                                                                  \
        int found_ = (int)(call);                                                         \
        if (found_ != (code))                                                             \
            fprintf(stderr, "%s: %s\n", #call, datablock_error_string(found_));           \
        CHECK(found_ == (code) && datablock_last_error()[0] != 0);                        \
    } while (0)

#endif
