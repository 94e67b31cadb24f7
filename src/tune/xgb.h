// The tuner xgb: XGBoost itself (T. Chen, C. Guestrin, KDD 2016), in a helper process, learns from what was measured
// which candidates are fast, as AutoTVM does (T. Chen et al., Learning to Optimize Tensor Programs, NeurIPS 2018):
// trees of depth 3, rank:pairwise among the candidates of a layer, on knobs and what follows from them. One model
// serves all layers, so that they learn from each other; AutoTVM walks a space too large to list by simulated
// annealing, here all candidates are ranked.
//
// Needs Python with the package xgboost: STENT_PYTHON, else python3. Nothing but numbers goes there.
#pragma once
#include "tune/recall.h"
#include "tune/search.h"

typedef struct Xgb Xgb;
// problems: of the layers. ST_UNSUPPORTED: there is no such Python; says what to install.
Status xgb_start(const Search *search, const Problem *const *problems, Xgb **out);
// Sets Candidate.score of all candidates from what was told, once there is enough that is new; else leaves them.
Status xgb_rank(Xgb *xgb, Search *search);
void xgb_end(Xgb *xgb); // NULL is fine
