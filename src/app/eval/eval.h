// eval from inside: what its parts hand to each other. Private to this folder.
//
//     data set (dataset.h) -> case by case: picture and truth read, networks run, figures taken -> a record
//     record -> case file (a line), totals (sums a patient), CSV (a row)
//     totals -> JSON, text
//
// Records are added to the totals in one order, that of the data set, whether they were made now, by an earlier run
// or by shards: so the sums have the same bits.
#pragma once
#include "app/dataset/dataset.h"
#include "app/picture.h"
#include "metric/metric.h"

// ---- What a picture and a mask are ------------------------------------------------------------------------------

// Of which kind a file's samples are. Files of another kind than most of the data set's are faults.
typedef struct EvalKind {
    SampleType type;
    int64_t channels;
    bool palette, alpha;
} EvalKind;
// How a mask of two classes writes the second one. A mask that holds nothing fits both.
typedef enum MaskCoding { CODING_NONE, CODING_ONE, CODING_FULL } MaskCoding; // 0 and 1; 0 and 255 (16 bit: 65535)
typedef struct EvalForm {
    EvalKind picture, mask;
    MaskCoding coding;
} EvalForm;

// What is wrong with a case; the message is the last error's.
typedef const char *FaultWord;      // NULL: nothing
extern const char EVAL_NO_MEMORY[]; // no fault of the case: the run ends

// A picture of one file, or of one for each channel.
typedef struct EvalPicture {
    Picture *files; // in the arena that was given
    int n_files;
    int64_t width, height, depth, channels;
    double spacing[3]; // mm; 0: unknown
    EvalKind kind;
    char hash[65]; // of the files' bytes
} EvalPicture;
FaultWord eval_picture_load(const DatasetCase *one, Arena *arena, EvalPicture *out);
FaultWord eval_picture_open(const DatasetCase *one, EvalPicture *picture);
void eval_picture_close(EvalPicture *picture);
Status eval_picture_slice(EvalPicture *picture, int64_t z, Arena *arena, PictureSlice *out);

typedef struct EvalTruth {
    Picture file;
    EvalKind kind;
    MaskCoding coding;
    uint8_t *classes; // (depth, height, width), in the arena that was given
} EvalTruth;
FaultWord eval_truth_load(const char *path, EvalTruth *out);
FaultWord eval_truth_open(const char *path, EvalTruth *truth);
// Class numbers, checked against the picture's size and the number of classes. form NULL: whatever the others are like.
FaultWord eval_truth_read(const char *path, EvalTruth *truth, const EvalPicture *picture, int n_classes,
                          const EvalForm *form, Arena *arena);
void eval_truth_close(EvalTruth *truth);

// Looks at some pictures and masks, evenly chosen, to learn what most are like.
Status eval_form_find(const Dataset *dataset, int n_classes, const stent_options *common, EvalForm *out);
FaultWord eval_form_check_picture(const EvalForm *form, const EvalPicture *picture);
Status eval_form_assume(const EvalForm *form, int n_classes, Dataset *dataset);

// ---- One case ---------------------------------------------------------------------------------------------------

enum { EVAL_CLASSES = PIPELINE_CLASSES };
typedef struct EvalRecord {
    const char *name, *patient;
    const char *file; // of the picture, as shown
    char picture_hash[65], mask_hash[65];
    bool blank;    // all pixels are the same
    bool no_soft;  // the outputs are no probabilities
    double ms;     // of the network, over all slices
    int n_figures; // 1, or with more than two classes 1 + classes but the background: [0] is of any class
    CaseMetrics *figures;
    bool compared;
    int64_t changed; // pixels in which the other network's mask has another class
    MaskCounts other;
} EvalRecord;

// A network and the numbers of normalise that it needs.
typedef struct EvalNet {
    Segmenter segmenter;
    Volume volume;
    bool is_open;
    Text package; // of a model file compiled in memory
} EvalNet;
typedef struct EvalNets {
    EvalNet own, other; // other: of --compare
    int n_classes;
    SegmentFile *files; // of all pictures, for scope "volume"; NULL: not needed
    size_t n_files;
} EvalNets;
typedef struct EvalMasks {
    uint8_t *own, *other; // (depth, height, width), in the arena that was given
} EvalMasks;
typedef struct CaseFault {
    FaultWord word; // NULL: none
    bool of_mask;   // it is the mask's
} CaseFault;
// What is to be seen of a case, when it has been run.
typedef struct EvalView {
    EvalPicture *picture;
    const uint8_t *truth, *mask; // (depth, height, width)
} EvalView;
typedef Status EvalVisit(void *context, const EvalView *view); // view: until it returns
// Runs the networks. visit: NULL, or called at the end. ST_OK with a fault: this case cannot be evaluated. Other
// statuses end the run.
Status eval_case(EvalNets *nets, const DatasetCase *one, const EvalForm *form, EvalVisit *visit, void *context,
                 Arena *arena, EvalRecord *out, CaseFault *fault);

// ---- Records as lines -------------------------------------------------------------------------------------------

void eval_record_write(const EvalRecord *record, JsonWriter *w);
Status eval_record_read(const Json *json, Arena *arena, EvalRecord *out); // ST_BAD: no record

// ---- Totals -----------------------------------------------------------------------------------------------------

enum { EVAL_WORST = 10, EVAL_TIMES = 1000 };
typedef struct WorstCase {
    const char *name, *patient;
    double dice;
    int64_t truth, mask;
    int64_t changed; // with --compare
    double dice_other;
} WorstCase;
typedef struct PatientFigures {
    const char *name;
    double ms_median;
} PatientFigures;
// A slice that is to be shown.
typedef struct EvalPick {
    size_t number; // of the case
    const char *rank;
    double dice, hd95_px, ms;
} EvalPick;
typedef struct SeenPicture {
    char hash[16]; // its first digits
    const char *name;
} SeenPicture;

typedef struct EvalTotals {
    int n_figures;
    size_t most_patients, n_patients;
    PatientSum *sums; // (figures, most_patients)
    PatientFigures *patients;
    size_t n_cases, most_cases;
    double *times; // of the cases
    size_t patient_begin;
    WorstCase worst[EVAL_WORST], changed[EVAL_WORST];
    int n_worst, n_changed;
    MaskCounts other;
    int64_t changed_px;
    size_t cases_changed;
    bool no_soft;
    SeenPicture *seen; // open addressing
    size_t seen_size;
    EvalPick *of_patient; // the current one's cases
    size_t n_of_patient, most_of_patient;
    EvalPick *picks;
    size_t n_picks, most_picks;
    int slices;
    Arena arena;
} EvalTotals;
Status totals_begin(EvalTotals *totals, int n_figures, size_t most_patients, size_t most_cases, int slices);
// The name under which this picture was counted already; NULL: it was not. Blank pictures may come again.
const char *totals_seen(const EvalTotals *totals, const EvalRecord *record);
Status totals_add(EvalTotals *totals, const EvalRecord *record, size_t number); // names stay the caller's
Status totals_finish(EvalTotals *totals);
void totals_free(EvalTotals *totals);
const PatientSum *totals_sums(const EvalTotals *totals, int figure);
