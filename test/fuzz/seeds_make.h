// How the seeds are made: the files that make them share this; each format whose writer is its own has a file.
#pragma once
#include "fuzz/seeds.h"
#include "test.h"

typedef struct Seeds {
    Arena *arena;
    Seed *seeds;
    size_t count;
} Seeds;

void seed_add(Seeds *to, const char *target, const char *name, const void *bytes, size_t size);
void seed_add_text(Seeds *to, const char *target, const char *name, const char *text);

void seed_torch(Seeds *to); // seeds_torch.c, and so on
void seed_export(Seeds *to);
void seed_script(Seeds *to);
void seed_hdf5(Seeds *to);
void seed_keras(Seeds *to);
void seed_tflite(Seeds *to);
void seed_tensorflow(Seeds *to);
