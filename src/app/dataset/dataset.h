// Data sets: which pictures there are, which mask is whose truth, and which patient they are of.
//
// What a folder holds is recognised by its content, and said. Pictures and masks are paired by name, never by order.
// What does not fit is a fault: listed by a word and one line, never guessed; the other cases stay. Only names are
// looked at here: what pictures and masks hold is the reader's business (app/eval/picture.c).
#pragma once
#include "base/memory.h"
#include "base/status.h"
#include <stdarg.h>

typedef enum DatasetLayout {
    DATASET_KAGGLE,  // folders of patients, X.tif beside X_mask.tif
    DATASET_FOLDERS, // a folder of pictures, one of masks
    DATASET_NNUNET,  // imagesTr/CASE_0000.png, labelsTr/CASE.png, dataset.json
    DATASET_CSV      // image,mask[,patient]
} DatasetLayout;
const char *dataset_layout_name(DatasetLayout layout); // "kaggle_3m", "folders", "nnunet", "csv"

typedef struct DatasetCase {
    const char *patient, *name;  // name: one of its kind, "PATIENT/STEM" where patients have folders
    const char *const *pictures; // paths: one, or one for each channel
    int n_pictures;
    const char *mask; // path; NULL: missing
    int volume;       // cases whose pictures lie in one folder have one number; over several files: its own
} DatasetCase;

// What is wrong with a data set, a line each.
typedef struct Fault {
    const char *file;    // as below the data set's folder
    const char *fault;   // a word or two: "missing mask"
    const char *message; // one line for people
} Fault;
typedef struct Faults {
    Fault *items; // mem_resize
    size_t count, capacity;
    Arena arena;
} Faults;
Status faults_add(Faults *faults, const char *file, const char *fault, const char *message);
void faults_sort(Faults *faults); // natural order of files; of equal ones one stays
void faults_free(Faults *faults);

enum { DATASET_LABELS = 256 };
typedef struct Dataset {
    const char *path, *name; // as given; its last part
    DatasetLayout layout;
    DatasetCase *cases; // patients in natural order, their cases in natural order
    size_t n_cases, n_patients;
    size_t without_mask; // of n_cases
    Faults faults;
    const char **assumed; // sentences
    size_t n_assumed;
    const char *labels[DATASET_LABELS]; // of dataset.json: the name of each class
    int n_labels;                       // 0: nothing says
    const char *root;                   // what names of files are shown below: path, or the folder of a CSV
    size_t n_files;                     // that the listing took
    Arena arena;
} Dataset;

// masks: folder of the masks of a folder of pictures, or NULL. ST_BAD: no data set, or none of the layouts;
// ST_UNSUPPORTED: NIfTI and the like, by name.
Status dataset_open(const char *path, const char *masks, Dataset *out);
void dataset_close(Dataset *dataset);
// As shown to people: below the data set's folder where it lies there.
const char *dataset_shown(const Dataset *dataset, const char *path);
// A fault of a file, with its path; the message must not begin with it.
Status dataset_fault(Dataset *dataset, const char *path, const char *fault, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
Status dataset_assume(Dataset *dataset, const char *format, ...) __attribute__((format(printf, 2, 3)));
