// The layouts of data sets: what belongs together by its name, and what does not.
#include "app/dataset/dataset.h"
#include "app/datasets.h"
#include "app/eval/split.h"

// "PATIENT CASE MASK; ..." of what was found, masks without their folder; "STATUS" of a refusal.
static const char *list(const char *path, const char *masks, Dataset *dataset) {
    static char text[4096];
    const Status status = dataset_open(path, masks, dataset);
    text[0] = 0;
    if (status != ST_OK) snprintf(text, sizeof text, "%d", status);
    for (size_t i = 0; status == ST_OK && i < dataset->n_cases; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %s %s", i ? "; " : "",
                 dataset->cases[i].patient, dataset->cases[i].name,
                 dataset->cases[i].mask ? path_name(dataset->cases[i].mask) : "-");
    return text;
}
static void check_listed(const Dataset *dataset, const char *file, const char *fault) {
    for (size_t i = 0; i < dataset->faults.count; i++)
        if (!strcmp(dataset->faults.items[i].file, file) && !strcmp(dataset->faults.items[i].fault, fault)) return;
    test_failed(__FILE__, __LINE__, "%s: the fault '%s' is not told", file, fault);
}
static void put(const char *folder, const char *name) {
    Arena arena = {0};
    CHECK_OK(folder_make(path_folder(&arena, in_folder(folder, name))));
    CHECK_OK(file_write(in_folder(folder, name), name, strlen(name)));
    arena_free(&arena);
}
static void put_content(const char *folder, const char *name, const char *text) {
    put(folder, name);
    CHECK_OK(file_write(in_folder(folder, name), text, strlen(text)));
}

TEST(dataset_kaggle) {
    Dataset dataset;
    const char *in = test_temp("in");
    put(in, "P10/P10_1.tif"), put(in, "P10/P10_1_mask.tif"), put(in, "P9/P9_10.tif"), put(in, "P9/P9_10_mask.tif");
    put(in, "P9/P9_2.png"), put(in, "P9/P9_2_mask.tif"), put(in, "P9/P9_3.tif"), put(in, "README.md");
    CHECK_TEXT(list(in, NULL, &dataset),
               "P9 P9/P9_2 P9_2_mask.tif; P9 P9/P9_3 -; P9 P9/P9_10 P9_10_mask.tif; P10 P10/P10_1 P10_1_mask.tif");
    CHECK(dataset.layout == DATASET_KAGGLE && dataset.n_patients == 2 && dataset.without_mask == 1);
    CHECK(dataset.faults.count == 1);
    CHECK(dataset.cases[0].volume == dataset.cases[2].volume && dataset.cases[0].volume != dataset.cases[3].volume);
    check_listed(&dataset, "P9/P9_3.tif", "missing mask");
    dataset_close(&dataset);
    CHECK_TEXT(list(in_folder(in, "P10"), NULL, &dataset), "P10 P10/P10_1 P10_1_mask.tif");
    dataset_close(&dataset);
}
TEST(dataset_two_folders) {
    Dataset dataset;
    const char *in = test_temp("in");
    put(in, "images/b.png"), put(in, "images/a.tif"), put(in, "masks/a.png"), put(in, "masks/b_mask.png");
    put(in, "masks/c.png");
    CHECK_TEXT(list(in, NULL, &dataset), "a a a.png; b b b_mask.png");
    CHECK(dataset.layout == DATASET_FOLDERS && dataset.n_patients == 2);
    check_listed(&dataset, "masks/c.png", "mask without picture");
    dataset_close(&dataset);
    put(in, "images/P1/x.png"), put(in, "masks/P1/x.png"), put(in, "images/P2/x.png"), put(in, "masks/P2/y.png");
    CHECK_TEXT(list(in_folder(in, "images"), in_folder(in, "masks"), &dataset),
               "P1 P1/x x.png; P2 P2/x -; a a a.png; b b b_mask.png");
    check_listed(&dataset, "P2/x.png", "missing mask");
    dataset_close(&dataset);
    char both[4096];
    snprintf(both, sizeof both, "%s,%s", in_folder(in, "images"), in_folder(in, "masks"));
    CHECK_TEXT(list(both, NULL, &dataset), "P1 P1/x x.png; P2 P2/x -; a a a.png; b b b_mask.png");
    dataset_close(&dataset);
    CHECK_TEXT(list(in_folder(in, "images"), in_folder(in, "images"), &dataset), "2");
    CHECK_TEXT(list(in_folder(in, "images"), in_folder(in, "none"), &dataset), "3");
}
TEST(dataset_nnunet) {
    Dataset dataset;
    const char *in = test_temp("Dataset001");
    put(in, "imagesTr/c1_0000.png"), put(in, "imagesTr/c1_0001.png"), put(in, "labelsTr/c1.png");
    put(in, "imagesTr/c2_0000.png"), put(in, "labelsTr/c2.png"), put(in, "imagesTr/c3.png"), put(in, "labelsTr/c4.png");
    put_content(in, "dataset.json",
                "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"}, \"labels\": {\"background\": 0, \"tumour\": 1}, "
                "\"numTraining\": 3, \"file_ending\": \".png\"}");
    CHECK_TEXT(list(in, NULL, &dataset), "c1 c1 c1.png");
    CHECK(dataset.layout == DATASET_NNUNET && dataset.cases[0].n_pictures == 2 && dataset.n_labels == 2);
    CHECK_TEXT(path_name(dataset.cases[0].pictures[1]), "c1_0001.png");
    CHECK_TEXT(dataset.labels[1], "tumour");
    check_listed(&dataset, "imagesTr/c2_0000.png", "missing channel");
    check_listed(&dataset, "imagesTr/c3.png", "bad name");
    check_listed(&dataset, "labelsTr/c4.png", "mask without picture");
    dataset_close(&dataset);
    CHECK_TEXT(list(in_folder(in, "imagesTr"), NULL, &dataset), "c1 c1 c1.png");
    dataset_close(&dataset);
    put(in, "imagesTs/t1_0000.png"), put(in, "labelsTs/t1.png");
    CHECK_TEXT(list(in_folder(in, "imagesTs"), NULL, &dataset), "t1 t1 t1.png");
    dataset_close(&dataset);
}
TEST(dataset_nnunet_refuses_by_name) {
    Dataset dataset;
    const char *in = test_temp("Dataset002");
    put(in, "imagesTr/c1_0000.nii.gz"), put(in, "labelsTr/c1.nii.gz");
    CHECK_TEXT(list(in, NULL, &dataset), "4");
    CHECK(strstr(error_message(), "c1_0000.nii.gz") && strstr(error_message(), "NIfTI"));
    put_content(in, "dataset.json", "{\"labels\": {\"background\": 0, \"tumour\": 1}, \"file_ending\": \".nii.gz\"}");
    CHECK_TEXT(list(in, NULL, &dataset), "4");
    put_content(in, "dataset.json", "{\"labels\": {\"background\": 0, \"whole\": [1, 2]}}");
    CHECK_TEXT(list(in, NULL, &dataset), "4");
    put_content(in, "dataset.json", "{\"labels\": {\"background\": 0, \"tumour\": 2}}");
    CHECK_TEXT(list(in, NULL, &dataset), "3");
    put_content(in, "dataset.json", "[]");
    CHECK_TEXT(list(in, NULL, &dataset), "3");
    put_content(in, "dataset.json", "{");
    CHECK_TEXT(list(in, NULL, &dataset), "3");
    CHECK(strstr(error_message(), "dataset.json"));
}
TEST(dataset_csv) {
    Dataset dataset;
    const char *in = test_temp("in");
    put(in, "p/a.png"), put(in, "p/a_m.png"), put(in, "b,1.png"), put(in, "m/b.png"), put(in, "c.png");
    put_content(in, "pairs.csv",
                "\xef\xbb\xbfsite,Image,Mask,patient\r\n"
                "1,p/a.png,p/a_m.png,Anna\r\n"
                "2,\"b,1.png\",m/b.png,\"Bert \"\"B\"\"\"\r\n"
                "\r\n"
                "3,c.png\r\n"
                "4,/etc/passwd,m/b.png,X\r\n"
                "5,c.png,../m/b.png,X\r\n"
                "6,none.png,m/b.png,X\r\n"
                "7,c.png,none.png,X\r\n"
                "8,c.png,,X\r\n"
                "9,p/a.png,p/a_m.png,Anna\r\n"
                "10,c.png,m/b.png, \r\n"
                "11,m,m/b.png,X");
    CHECK_TEXT(list(in_folder(in, "pairs.csv"), NULL, &dataset), "Anna p/a a_m.png; Bert \"B\" b,1 b.png");
    static const char *const faults[][2] = {
        {"pairs.csv:5", "missing column"},  {"pairs.csv:6", "absolute path"},    {"pairs.csv:7", "path outside"},
        {"pairs.csv:8", "missing picture"}, {"pairs.csv:9", "missing mask"},     {"pairs.csv:10", "missing mask"},
        {"pairs.csv:11", "duplicate row"},  {"pairs.csv:12", "missing patient"}, {"pairs.csv:13", "missing picture"}};
    for (size_t i = 0; i < COUNT_OF(faults); i++) check_listed(&dataset, faults[i][0], faults[i][1]);
    CHECK(dataset.layout == DATASET_CSV && dataset.faults.count == COUNT_OF(faults));
    dataset_close(&dataset);
    put_content(in, "pairs.csv", "image,mask\np/a.png,p/a_m.png\np/a.png,m/b.png\nc.png,m/b.png\n");
    CHECK_TEXT(list(in_folder(in, "pairs.csv"), NULL, &dataset), "c c b.png");
    check_listed(&dataset, "pairs.csv:2", "two masks"), check_listed(&dataset, "pairs.csv:3", "two masks");
    dataset_close(&dataset);
    put_content(in, "pairs.csv", "picture;mask\n");
    CHECK_TEXT(list(in_folder(in, "pairs.csv"), NULL, &dataset), "3");
    CHECK(strstr(error_message(), "there is no column 'image'"));
    put_content(in, "pairs.csv", "image,mask,image\n");
    CHECK_TEXT(list(in_folder(in, "pairs.csv"), NULL, &dataset), "3");
    put_content(in, "pairs.csv", "image,mask\n\"c.png,m/b.png\n");
    CHECK_TEXT(list(in_folder(in, "pairs.csv"), NULL, &dataset), "3");
    CHECK(strstr(error_message(), "line 2"));
}

// ---- splits

static const char *read_text(const char *path) {
    static char text[8192];
    uint8_t *bytes;
    size_t size;
    CHECK_OK(file_read(path, sizeof text - 1, &bytes, &size));
    memcpy(text, bytes, size + 1);
    mem_free(bytes);
    return text;
}
static int count_of(const char *text, const char *part) {
    int count = 0;
    for (; (text = strstr(text, part)) != NULL; text++) count++;
    return count;
}
TEST(splits_are_by_patient_and_read_back) {
    Dataset dataset;
    const char *in = test_temp("in"), *file = test_temp("split.tsv");
    for (int patient = 1; patient <= 25; patient++) {
        char name[64];
        for (int slice = 1; slice <= 2; slice++) {
            snprintf(name, sizeof name, "P%d/P%d_%d.tif", patient, patient, slice), put(in, name);
            snprintf(name, sizeof name, "P%d/P%d_%d_mask.tif", patient, patient, slice), put(in, name);
        }
    }
    CHECK_OK(dataset_open(in, NULL, &dataset));
    Split split = {.fractions = {64, 16, 20}, .seed = 7};
    char first[8192];
    CHECK_OK(split_make(&dataset, file, &split));
    CHECK(split.counts[0] == 16 && split.counts[1] == 4 && split.counts[2] == 5);
    snprintf(first, sizeof first, "%s", read_text(file));
    CHECK(count_of(first, "\ttrain\n") == 16 && count_of(first, "\tvalidation\n") == 4 &&
          count_of(first, "\ttest\n") == 5);
    CHECK_OK(split_make(&dataset, file, &split));
    CHECK_TEXT(read_text(file), first);
    split.seed = 8;
    CHECK_OK(split_make(&dataset, file, &split));
    CHECK(strcmp(read_text(file), first));
    CHECK_OK(split_apply(&dataset, file, "test"));
    CHECK(dataset.n_cases == 10 && dataset.n_patients == 5 && dataset.faults.count == 0);
    for (size_t i = 0; i < dataset.n_cases; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n%s\ttest\n", dataset.cases[i].patient);
        CHECK(strstr(read_text(file), line));
    }
    dataset_close(&dataset);
    CHECK_OK(dataset_open(in, NULL, &dataset));
    put_content(in, "split", "# by hand\r\nP1\ttest\r\n\r\nP2\ttrain\r\nQ\ttest\r\n");
    CHECK_OK(split_apply(&dataset, in_folder(in, "split"), "test"));
    CHECK(dataset.n_cases == 2 && dataset.faults.count == 23);
    dataset_close(&dataset);
}
TEST(splits_that_are_wrong) {
    static const char *const wrong[] = {"P1 test\n",     "P1\tproof\n", "\ttest\n", "P1\ttest\nP1\ttrain\n",
                                        "P1\ttest\tx\n", "Q\ttest\n"};
    Dataset dataset;
    const char *in = test_temp("in"), *file = test_temp("split.tsv");
    put(in, "P1/P1_1.tif"), put(in, "P1/P1_1_mask.tif");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        CHECK_OK(dataset_open(in, NULL, &dataset));
        CHECK_OK(file_write(file, wrong[i], strlen(wrong[i])));
        CHECK_MSG(split_apply(&dataset, file, "test") == ST_BAD, "'%s' was taken", wrong[i]);
        CHECK(strstr(error_message(), "split.tsv"));
        dataset_close(&dataset);
    }
    CHECK(split_check_part("proof") == ST_USAGE);
}
