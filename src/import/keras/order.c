// The order in which the calls of a model are made: each behind those that it takes something from, else as they stand
// in the file (Kahn 1962).
#include "import/keras/model.h"
#include <string.h>

typedef struct Order {
    const KerasModel *model;
    KerasStep *calls;   // by id
    int *waits_for;     // sources whose call is not made yet, by id
    int *first, *users; // users[first[id]...first[id + 1]]: ids of calls that take something from call id
} Order;

static const KerasCall *call_of(const Order *order, int id) {
    const KerasStep *step = &order->calls[id];
    return &order->model->layers[step->layer].calls[step->call];
}

static int id_of(const Order *order, const KerasSource *source) {
    return order->model->layers[source->layer].calls[source->node].id;
}

static void list_calls(Order *order) {
    for (int i = 0; i < order->model->n_layers; i++) {
        const KerasLayer *layer = &order->model->layers[i];
        for (int k = 0; k < layer->n_calls; k++) order->calls[layer->calls[k].id] = (KerasStep){i, k};
    }
}

static void count_users(Order *order) {
    const int n = order->model->n_calls;
    for (int id = 0; id < n; id++) {
        const KerasCall *call = call_of(order, id);
        order->waits_for[id] = call->n_sources;
        for (int i = 0; i < call->n_sources; i++) order->first[id_of(order, &call->sources[i]) + 1]++;
    }
    for (int id = 0; id < n; id++) order->first[id + 1] += order->first[id];
}

// Fills the lists from their ends, so that they come out in the order of the calls; first[] moves back to the starts.
static void list_users(Order *order) {
    const int n = order->model->n_calls;
    for (int id = 0; id < n; id++) order->first[id] = order->first[id + 1];
    for (int id = n - 1; id >= 0; id--) {
        const KerasCall *call = call_of(order, id);
        for (int i = 0; i < call->n_sources; i++) order->users[--order->first[id_of(order, &call->sources[i])]] = id;
    }
}

static Status walk(Order *order, int *queue, KerasStep *steps) {
    const int n = order->model->n_calls;
    int done = 0, ready = 0;
    for (int id = 0; id < n; id++) {
        if (order->waits_for[id] == 0) queue[ready++] = id;
    }
    for (; done < ready; done++) {
        const int id = queue[done];
        steps[done] = order->calls[id];
        for (int i = order->first[id]; i < order->first[id + 1]; i++) {
            if (--order->waits_for[order->users[i]] == 0) queue[ready++] = order->users[i];
        }
    }
    for (int id = 0; id < n; id++) {
        FAIL_IF(order->waits_for[id] > 0, ST_BAD,
                "layer '%s': expected inputs that do not depend on its own output, "
                "got a cycle",
                order->model->layers[order->calls[id].layer].name);
    }
    return ST_OK;
}

static Status order_in(Arena *scratch, Order *order, KerasStep *steps) {
    const size_t n = (size_t)order->model->n_calls + 1;
    order->calls = arena_array(scratch, n, sizeof *order->calls);
    order->waits_for = arena_array(scratch, n, sizeof(int));
    order->first = arena_array(scratch, n + 1, sizeof(int));
    int *queue = arena_array(scratch, n, sizeof(int));
    if (!order->calls || !order->waits_for || !order->first || !queue) return fail_memory(n * sizeof(int));
    list_calls(order);
    count_users(order);
    const size_t n_edges = (size_t)order->first[order->model->n_calls];
    order->users = arena_array(scratch, n_edges + 1, sizeof(int));
    if (!order->users) return fail_memory(n_edges * sizeof(int));
    list_users(order);
    return walk(order, queue, steps);
}

Status keras_order_calls(Arena *arena, KerasModel *model) {
    Arena scratch = {0};
    Order order = {.model = model};
    model->steps = arena_array(arena, (size_t)model->n_calls + 1, sizeof *model->steps);
    if (!model->steps) return fail_memory((size_t)model->n_calls * sizeof *model->steps);
    const Status status = order_in(&scratch, &order, model->steps);
    arena_free(&scratch);
    return status;
}
