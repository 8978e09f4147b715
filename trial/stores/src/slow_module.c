/* A PKCS#11 module that is SoftHSM2, and takes its time to sign, and to look for objects: as many milliseconds as a file of each says, for
   ever where it says -1. It lies between the two as a card reader with a worn contact does. The list of functions is that of PKCS#11 2.40: a version, then pointers. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FUNCTIONS 68
#define FIND 26
#define SIGN 43

struct list { unsigned char version[2]; void *functions[FUNCTIONS]; };
typedef unsigned long (*get_list)(struct list **);
typedef unsigned long (*sign)(unsigned long, unsigned char *, unsigned long, unsigned char *, unsigned long *);

typedef unsigned long (*find)(unsigned long, void *, unsigned long);

static struct list ours, *theirs;

static void wait_as(const char *said)
{
    long delay_ms = 0;
    FILE *file = fopen(said, "r");
    if (file) {
        if (fscanf(file, "%ld", &delay_ms) != 1)
            delay_ms = 0;
        fclose(file);
    }
    while (delay_ms < 0)
        pause();
    usleep((useconds_t)delay_ms * 1000);
}

static unsigned long slow_find(unsigned long session, void *template, unsigned long count)
{
    wait_as(DELAY_FIND);
    return ((find)theirs->functions[FIND])(session, template, count);
}

static unsigned long slow_sign(unsigned long session, unsigned char *data, unsigned long bytes, unsigned char *signature, unsigned long *room)
{
    /* How long a signature is the module says by itself. */
    if (signature)
        wait_as(DELAY);
    return ((sign)theirs->functions[SIGN])(session, data, bytes, signature, room);
}

unsigned long C_GetFunctionList(struct list **list)
{
    void *module;
    get_list get;
    unsigned long said;
    setenv("SOFTHSM2_CONF", CONFIGURATION, 1);
    module = dlopen(MODULE, RTLD_NOW);
    if (!module || !(get = (get_list)dlsym(module, "C_GetFunctionList")))
        return 5; /* CKR_GENERAL_ERROR */
    said = get(&theirs);
    if (said == 0) {
        memcpy(&ours, theirs, sizeof ours);
        ours.functions[FIND] = (void *)slow_find;
        ours.functions[SIGN] = (void *)slow_sign;
        *list = &ours;
    }
    return said;
}
