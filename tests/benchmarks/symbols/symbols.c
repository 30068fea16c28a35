/* Symbols of C; what a line defines is written behind it. */
#ifndef SYMBOLS_H
#define SYMBOLS_H
#include <stddef.h>

#define LIMIT 16 //= macro LIMIT
#define TWICE(x) ((x) + /*= macro TWICE */ \
    (x))
#define IS_SMALL(x) ((x) < LIMIT) //= macro IS_SMALL

typedef unsigned int word; //= type word
typedef int (*handler)(void *context, int event); //= type handler

struct node { //= struct node
    struct node *next;
    word value;
};

typedef struct {
    size_t length;
    char *text;
} string; //= struct string

typedef struct list { //= struct list
    struct node *first;
} list_t; //= struct list_t

union number { //= struct number
    int whole;
    double real;
};

enum color { RED, GREEN = 2 }; //= enum color
typedef enum { LOW, HIGH } level; //= enum level

extern int counter;
int opened(const char *path); //= function opened
char *copied(const char *text, size_t length); //= function copied
void **table_of(struct list *list); //= function table_of

static inline word least(word a, word b) { //= function least
    return a < b ? a : b;
}

char *
copied(const char *text, size_t length) //= function copied
{
    struct local { int a; } one = {0}; //= struct local
    return one.a ? NULL : (char *)text + length;
}

int opened(const char *path) { //= function opened
#ifdef _WIN32
    if (!path) {
#else
    if (path == NULL) {
#endif
        return 0;
    }
    return 1;
}

void **table_of(struct list *list) { return (void **)list; } //= function table_of

static const handler handlers[] = { NULL };

int main(int argc, char **argv) //= function main
{
    handler first = handlers[0];
    return first ? first(argv, argc) : 0;
}
#endif
