# Runs tiers of tests and sums them up; for tools/check and .ci/run, which read it with `.`.
#
# A tier is a command whose last line "N passed, N failed, N skipped" says what it did; without such a line it counts
# as one test.

tier_log=$(mktemp -d)
trap 'rm -rf "$tier_log"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

# Runs one tier, shows its output as it comes, and adds its numbers.
tier() { # name, command...
    tier_name=$1 tier_start=$(date +%s)
    echo "== $1"
    shift
    { "$@"; echo $? > "$tier_log/status"; } 2>&1 | tee "$tier_log/out"
    read -r tier_status < "$tier_log/status"
    set -- "$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)\{0,1\}$/\1 \2 \4/p' "$tier_log/out" |
        tail -n 1)"
    if [ -z "$1" ]; then
        [ "$tier_status" -eq 0 ] && set -- "1 0 0" || set -- "0 1 0"
    fi
    # shellcheck disable=SC2086 # three words
    set -- $1
    [ "$tier_status" -ne 0 ] && [ "$2" -eq 0 ] && set -- "$1" 1 "${3:-0}" # it broke off without saying so
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + ${3:-0}))
    echo "== $tier_name: $(($(date +%s) - tier_start)) s"
}

skip_tier() { # name, why
    echo "== $1: skipped, $2"
    skipped=$((skipped + 1))
}

# The last line; its status is the script's.
sum_up() {
    echo
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
