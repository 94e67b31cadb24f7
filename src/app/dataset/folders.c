// Two folders: pictures, and masks of the same names, in the same folders below them.
#include "app/dataset/inside.h"
#include "base/file.h"
#include "base/text.h"
#include <string.h>

typedef struct Taking {
    FoundList list;
    bool masks;
    bool suffixed, folders; // seen: NAME_mask, files below folders
} Taking;

static Status take_file(void *context, Dataset *dataset, const char *below, const char *name, const char *path) {
    Taking *taking = context;
    const size_t length = name_stem(name);
    char *stem = arena_string_n(&dataset->arena, name, length);
    if (!stem) return fail_memory(length);
    if (taking->masks && text_ends(stem, "_mask")) stem[length - 5] = 0, taking->suffixed = true;
    if (!*stem) return dataset_fault(dataset, path, "bad name", "a mask of no name: expected NAME_mask");
    if (!taking->masks && name_says_mask(stem))
        return dataset_fault(dataset, path, "bad name", "called like a mask, yet among the pictures");
    taking->folders = taking->folders || *below;
    return found_add(&taking->list, &(Found){below, stem, path, taking->masks, 0});
}
static const char *name_of(Dataset *dataset, const Found *found) {
    return *found->below ? path_join(&dataset->arena, found->below, found->stem) : found->stem;
}
// The folder next below; without one each picture stands for itself.
static const char *patient_of(Dataset *dataset, const Found *found) {
    return *found->below ? arena_string_n(&dataset->arena, found->below, strcspn(found->below, "/")) : found->stem;
}
Status dataset_list_folders(Dataset *dataset, const char *pictures, const char *masks) {
    Taking taking = {.masks = false};
    const char *const root = dataset->root;
    Status status = dataset_walk(dataset, pictures, take_file, &taking);
    taking.masks = true;
    if (status == ST_OK) status = dataset_walk(dataset, masks, take_file, &taking);
    dataset->root = root;
    if (status == ST_OK) status = dataset_pair(dataset, &taking.list, 1, patient_of, name_of);
    if (status == ST_OK && taking.suffixed)
        status = dataset_assume(dataset, "A mask called NAME_mask belongs to the picture NAME.");
    if (status == ST_OK)
        status = dataset_assume(
            dataset,
            taking.folders
                ? "Pictures of one folder are of one patient."
                : "Each picture is a patient of its own: nothing tells which belong together (folders, or a CSV "
                  "with a column 'patient', do).");
    mem_free(taking.list.items);
    return status;
}
