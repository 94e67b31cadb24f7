// Nodes that compute nothing: constants, inputs, variables, branches.
#include "import/limits.h"
#include "import/tensorflow/convert.h"
#include "import/tensorflow/tensor.h"
#include <string.h>

// The tensor of attribute `value`.
static Status read_tensor(Call *call, TfTensor *out) {
    const TfAttr *attr = tf_attr(call->node, "value");
    PbField field;
    bool found = false;
    FAIL_IF(!attr, ST_BAD, "attribute 'value' is missing");
    PbReader reader = attr->value;
    while (pb_next(&reader, &field)) {
        if (field.number != 8) continue;
        FAIL_IF(found, ST_BAD, "attribute 'value': expected one tensor, got several");
        const PbReader message = pb_message(&reader, &field);
        TRY(reader.status);
        TRY(tf_tensor(message, &call->emit.graph->arena, tf_builder_left(call->builder), out));
        found = true;
    }
    TRY(reader.status);
    FAIL_IF(!found, ST_BAD, "attribute 'value': expected a tensor, got none");
    return ST_OK;
}

Status tf_convert_const(Call *call) {
    TfTensor tensor;
    ValueId value;
    TRY(tf_call_expect(call, 0, 0));
    TRY(read_tensor(call, &tensor));
    if (tensor.type == TF_STRING) return tf_call_give_slots(call, &(Slot){.kind = SLOT_TEXT}, 1);
    TRY(tf_builder_take(call->builder, tensor.copied));
    TRY(emit_tensor(&call->emit, "", &tensor.tensor, &value));
    return tf_call_give(call, value);
}

// Hands on whatever it is.
Status tf_convert_identity(Call *call) {
    TRY(tf_call_expect(call, 1, 1));
    return tf_call_give_slots(call, call->inputs, 1);
}

Status tf_convert_identities(Call *call) { return tf_call_give_slots(call, call->inputs, call->n_inputs); }

// One that the signature does not name.
Status tf_convert_placeholder(Call *call) {
    int64_t dtype;
    TRY(tf_call_attr_int(call, "dtype", 0, &dtype));
    if (dtype == TF_STRING) return tf_call_give_slots(call, &(Slot){.kind = SLOT_TEXT}, 1);
    return fail(ST_UNSUPPORTED, "it has to be given, but is not among the inputs of the signature");
}

// PlaceholderWithDefault: nobody gives another value (keras_learning_phase).
Status tf_convert_default(Call *call) { return tf_convert_identity(call); }

// TF 1: the node is the variable's numbers.
Status tf_convert_variable(Call *call) {
    ValueId value;
    TRY(tf_builder_variable(call->builder, call->node, &value));
    return tf_call_give(call, value);
}

Status tf_convert_handle(Call *call) {
    return tf_call_give_slots(call, &(Slot){.kind = SLOT_VARIABLE, .variable = call->node}, 1);
}

Status tf_convert_read(Call *call) {
    ValueId value;
    TRY(tf_call_expect(call, 1, 1));
    FAIL_IF(call->inputs[0].kind != SLOT_VARIABLE, ST_BAD, "expected a variable, got something else");
    TRY(tf_builder_variable(call->builder, call->inputs[0].variable, &value));
    return tf_call_give(call, value);
}

// Outputs: where the condition is false, where it is true. One of them is dead, and so is all that depends on it.
Status tf_convert_switch(Call *call) {
    bool known, holds;
    Slot slots[2] = {{.kind = SLOT_DEAD}, {.kind = SLOT_DEAD}};
    TRY(tf_call_expect(call, 2, 2));
    TRY(tf_builder_condition(call->builder, &call->inputs[1], &known, &holds));
    if (known) slots[holds] = call->inputs[0];
    else {
        missing_add(&call->builder->missing, call->node->op);
        slots[0].kind = slots[1].kind = SLOT_MISSING;
    }
    return tf_call_give_slots(call, slots, 2);
}

// The only input that is not dead, and which it is.
Status tf_convert_merge(Call *call) {
    Slot slots[2] = {{.kind = SLOT_DEAD}, {.kind = SLOT_DEAD}};
    for (int i = 0; i < call->n_inputs; i++) {
        if (call->inputs[i].kind == SLOT_DEAD) continue;
        FAIL_IF(slots[0].kind != SLOT_DEAD, ST_UNSUPPORTED, "several branches that may be taken are not supported");
        slots[0] = call->inputs[i];
        slots[1].kind = SLOT_VALUE;
        TRY(emit_scalar(&call->emit, "branch", DT_I32, i, &slots[1].value));
    }
    return tf_call_give_slots(call, slots, 2);
}

// Without outputs.
Status tf_convert_nothing(Call *call) { return tf_call_give_slots(call, NULL, 0); }
