// What the layouts of a data set share. Private to this folder.
#pragma once
#include "app/dataset/dataset.h"

// A file that takes part in pairing.
typedef struct Found {
    const char *below, *stem; // folder as under the root ("" at its top), what both of a pair are called
    const char *path;
    bool is_mask;
    int channel; // of a picture of several files; else 0
} Found;
typedef struct FoundList {
    Found *items; // mem_resize
    size_t count, capacity;
} FoundList;
Status found_add(FoundList *list, const Found *found);

// Every plain file below `root` with the name of a picture (TIFF, PNG by its ending), folder by folder, natural order.
// Faults on the way: folders that lead in a circle or are called like pictures, names that nobody can rely on, files
// that are none, what is no picture ("extra file").
typedef Status FoundSink(void *context, Dataset *dataset, const char *below, const char *name, const char *path);
Status dataset_walk(Dataset *dataset, const char *root, FoundSink *sink, void *context);
size_t name_stem(const char *name);        // bytes before the ending
bool name_is_picture(const char *name);    // .png, .tif, .tiff, in any case
bool name_says_mask(const char *text);     // holds "_mask", in any case
bool name_is_kept_apart(const char *name); // what is no part of a data set and no fault: hidden files, README ...

// Pairs pictures and masks of one folder and stem. channels: files that make a picture.
typedef const char *PatientOf(Dataset *dataset, const Found *found); // NULL: no memory
Status dataset_pair(Dataset *dataset, FoundList *found, int channels, PatientOf *patient_of, PatientOf *name_of);
Status dataset_add_case(Dataset *dataset, const DatasetCase *one);

// The layouts. What they find goes into cases and faults.
Status dataset_list_kaggle(Dataset *dataset);
Status dataset_list_folders(Dataset *dataset, const char *pictures, const char *masks);
Status dataset_list_nnunet(Dataset *dataset, const char *root, const char *part); // "Tr", "Ts"
Status dataset_list_csv(Dataset *dataset);
