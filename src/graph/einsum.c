#include "graph/einsum.h"
#include "graph/infer.h"
#include <string.h>

// ---- terms

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static int letter_label(char c) { return c >= 'a' ? c - 'a' + 26 : c - 'A'; }
static char label_letter(int label) { return (char)(label < 26 ? 'A' + label : 'a' + label - 26); }

static const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\t') at++;
    return at;
}

// Reads a term up to a comma, the arrow or the end.
static Status read_term(const char **text, char term[EINSUM_TERM]) {
    int length = 0, letters = 0;
    const char *at = skip_blanks(*text);
    for (; *at && *at != ',' && *at != '-'; at = skip_blanks(at)) {
        const bool dots = strncmp(at, "...", 3) == 0;
        FAIL_IF(!dots && !is_letter(*at), ST_BAD,
                "attribute 'equation': expected letters, '...', ',' and '->', got '%c'", *at);
        FAIL_IF(dots && memchr(term, '.', (size_t)length), ST_BAD,
                "attribute 'equation': '...' stands twice in a term");
        letters += !dots;
        FAIL_IF(letters > MAX_RANK, ST_UNSUPPORTED, "attribute 'equation': expected at most %d dims in a term",
                MAX_RANK);
        term[length++] = *at;
        at += dots ? 3 : 1;
    }
    term[length] = 0;
    *text = at;
    return ST_OK;
}

static void count_letters(char (*terms)[EINSUM_TERM], int count, int uses[EINSUM_LETTERS]) {
    memset(uses, 0, EINSUM_LETTERS * sizeof *uses);
    for (int i = 0; i < count; i++)
        for (const char *c = terms[i]; *c; c++)
            if (*c != '.') uses[letter_label(*c)]++;
}

static Status implicit_output(char (*terms)[EINSUM_TERM], int count) {
    int uses[EINSUM_LETTERS], length = 0;
    char *out = terms[count];
    count_letters(terms, count, uses);
    for (int i = 0; i < count && length == 0; i++)
        if (strchr(terms[i], '.')) out[length++] = '.';
    const int most = length + MAX_RANK;
    for (int i = 0; i < EINSUM_LETTERS; i++) {
        if (uses[i] != 1) continue;
        FAIL_IF(length == most, ST_UNSUPPORTED, "attribute 'equation': expected at most %d dims of the output",
                MAX_RANK);
        out[length++] = label_letter(i);
    }
    out[length] = 0;
    return ST_OK;
}

static Status check_output(char (*terms)[EINSUM_TERM], int count) {
    int uses[EINSUM_LETTERS];
    count_letters(terms, count, uses);
    for (const char *c = terms[count]; *c; c++) {
        if (*c == '.') continue;
        FAIL_IF(uses[letter_label(*c)] == 0, ST_BAD, "attribute 'equation': '%c' of the output is in no input", *c);
        FAIL_IF(strchr(c + 1, *c), ST_BAD, "attribute 'equation': '%c' stands twice in the output", *c);
    }
    return ST_OK;
}

Status einsum_terms(const char *equation, int count, char (*terms)[EINSUM_TERM]) {
    const char *at = equation;
    for (int i = 0; i < count; i++) {
        TRY(read_term(&at, terms[i]));
        FAIL_IF((*at == ',') != (i + 1 < count), ST_BAD, "attribute 'equation': expected %d term%s, as many as inputs",
                count, count == 1 ? "" : "s");
        at += *at == ',';
    }
    if (!*at) return implicit_output(terms, count);
    FAIL_IF(strncmp(at, "->", 2) != 0, ST_BAD, "attribute 'equation': expected '->', got '%.2s'", at);
    at += 2;
    TRY(read_term(&at, terms[count]));
    FAIL_IF(*at, ST_BAD, "attribute 'equation': expected one term behind '->'");
    return check_output(terms, count);
}

// ---- labels

// `dots`: how many dims the ellipsis stands for.
static void label_dims(const char *term, int dots, int *label) {
    for (; *term; term++) {
        if (*term != '.') *label++ = letter_label(*term);
        else
            for (int i = dots; i > 0; i--) *label++ = EINSUM_LABELS - i;
    }
}

Status einsum_read(const Node *node, const int *ranks, Einsum *out) {
    char terms[EINSUM_INPUTS + 1][EINSUM_TERM];
    const char *equation = node_string(node, "equation", NULL);
    FAIL_IF(!equation, ST_BAD, "attribute 'equation' is missing");
    *out = (Einsum){.count = node->n_inputs};
    TRY(einsum_terms(equation, out->count, terms));
    int most = 0;
    for (int i = 0; i < out->count; i++) {
        const bool has = strchr(terms[i], '.') != NULL;
        const int letters = (int)strlen(terms[i]) - has, dots = ranks[i] - letters;
        FAIL_IF(dots < 0 || (dots > 0 && !has), ST_BAD, "input %d: expected %s%d dims, as the equation says, got %d", i,
                has ? "at least " : "", letters, ranks[i]);
        out->rank[i] = ranks[i];
        label_dims(terms[i], dots, out->label[i]);
        most = MAX(most, dots);
    }
    const bool has = strchr(terms[out->count], '.') != NULL;
    FAIL_IF(most > 0 && !has, ST_BAD, "attribute 'equation': expected '...' in the output too");
    const int rank = (int)strlen(terms[out->count]) - has + most;
    FAIL_IF(rank > MAX_RANK, ST_UNSUPPORTED, "expected at most %d dims of the output, got %d", MAX_RANK, rank);
    out->rank[out->count] = rank;
    label_dims(terms[out->count], most, out->label[out->count]);
    return ST_OK;
}

// Twice in one input: the diagonal, which has no dim of 1 for any other.
static Status check_diagonal(const Einsum *einsum, int input, int axis, const int64_t *dims) {
    for (int k = 0; k < axis; k++)
        FAIL_IF(einsum->label[input][k] == einsum->label[input][axis] && dims_clash(dims[k], dims[axis]), ST_BAD,
                "input %d: expected dims %d and %d of one size, as they have one letter, got %lld and %lld", input, k,
                axis, (long long)dims[k], (long long)dims[axis]);
    return ST_OK;
}

Status einsum_dims(const Einsum *einsum, const int64_t *const *dims, int64_t dim[EINSUM_LABELS]) {
    bool seen[EINSUM_LABELS] = {false};
    for (int i = 0; i < EINSUM_LABELS; i++) dim[i] = DIM_UNKNOWN;
    for (int i = 0; i < einsum->count; i++)
        for (int k = 0; k < einsum->rank[i]; k++) {
            const int label = einsum->label[i][k];
            const int64_t other = dims[i][k];
            TRY(check_diagonal(einsum, i, k, dims[i]));
            FAIL_IF(seen[label] && !broadcast_dim(dim[label], other, &dim[label]), ST_BAD,
                    "input %d: expected dim %d to go with those of the same letter, which are %lld, got %lld", i, k,
                    (long long)dim[label], (long long)other);
            if (!seen[label]) dim[label] = other;
            seen[label] = true;
        }
    return ST_OK;
}

Status infer_einsum(const Infer *infer) {
    Einsum einsum;
    const int64_t *dims[EINSUM_INPUTS];
    int64_t dim[EINSUM_LABELS];
    int ranks[EINSUM_INPUTS];
    infer->out[0] = unknown_type(infer->in[0].dtype, -1);
    for (int i = 0; i < infer->node->n_inputs; i++) {
        TRY(want_dtype(infer, i, NUMBERS));
        TRY(want_same_dtype(infer, 0, i));
    }
    for (int i = 0; i < infer->node->n_inputs; i++) {
        if (infer->in[i].rank < 0) return ST_OK;
        ranks[i] = infer->in[i].rank;
        dims[i] = infer->in[i].dim;
    }
    TRY(einsum_read(infer->node, ranks, &einsum));
    TRY(einsum_dims(&einsum, dims, dim));
    infer->out[0].rank = einsum.rank[einsum.count];
    for (int i = 0; i < infer->out[0].rank; i++) infer->out[0].dim[i] = dim[einsum.label[einsum.count][i]];
    return ST_OK;
}
