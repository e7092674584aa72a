#!/bin/sh
# Trains the trials of a study with a program in any language: ask, report and tell by curl and a POSIX shell alone.
#
#     examples/shell/worker.sh STUDY PROGRAM [ARGUMENT ...]
#
# The program finds the params of a trial in PARAMS, a JSON object, and its seed in SEED. After each step it prints one
# line, its measurements: a JSON object such as {"validation_error": 0.12}, with null for what is not finite. If it ends
# with 0 the trial is complete, with what the last line says; else the trial has failed. It is killed (SIGTERM) where the
# trial is told to stop, or is another worker's by now; then the next trial begins, until the study has ended. One that
# cannot be started (126, 127) is the end of it all, and its trial goes back to the queue.
#
# Needed: sh, curl 7.71 or newer, and what every POSIX system has: cat, kill, mkdir, mkfifo, od, rm, sed, sleep, tr.
# TRIMTAB_SERVER says where the service is, TRIMTAB_TOKEN or TRIMTAB_TOKEN_FILE what opens it. Texts among the params
# must have no braces: sed knows nothing of JSON.

set -u
study=${1:?the name of a study is missing}
shift
: "${1:?the program that trains is missing}"
server=${TRIMTAB_SERVER:-http://127.0.0.1:8000}
token=${TRIMTAB_TOKEN:-$(cat "${TRIMTAB_TOKEN_FILE:?set TRIMTAB_TOKEN or TRIMTAB_TOKEN_FILE}")} || exit 2

folder=${TMPDIR:-/tmp}/trimtab-$$
mkdir -m 700 "$folder" || exit 2
mkfifo "$folder/steps"
# In a file: what stands on a command line everybody on the machine can read.
printf 'Authorization: Bearer %s\n' "$token" >"$folder/token"
unset TRIMTAB_TOKEN TRIMTAB_TOKEN_FILE # The program needs neither.

lease= # While it is not empty there is somebody to be told how the trial ends.
fence=1
trainer=
heart=

# call METHOD PATH BODY [HEADER]: leaves `status` and `answer`. Without an answer it is sent again: each call is the same
# twice as once, an ask by its key.
call() {
    status=$(curl --silent --show-error --retry 8 --retry-all-errors --max-time 60 --output "$folder/answer" \
        --write-out '%{http_code}' --request "$1" --header "@$folder/token" --header 'Content-Type: application/json' \
        --header "Trimtab-Fence: $fence" --header "${4:-Accept: application/json}" --data "$3" "$server$2")
    answer=$(cat "$folder/answer")
}

# field NAME: prints a number or a name of the answer.
field() {
    printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"
}

# Ends the program and what keeps its lease alive; leaves how the program ended.
end_training() {
    kill -s KILL "$heart" 2>/dev/null # A shell just forked still has the traps of its parent: it would swallow a TERM.
    wait "$heart" 2>/dev/null
    [ -z "$outcome" ] || kill "$trainer" 2>/dev/null
    wait "$trainer" 2>/dev/null
    ended=$?
    trainer=
}

leave() {
    outcome=released
    [ -z "$trainer" ] || end_training
    [ -z "$lease" ] || call PUT "/v1/leases/$lease/result" '{"outcome": "released"}'
    rm -rf "$folder"
    exit "$1"
}
trap 'leave 130' INT
trap 'leave 143' TERM

# keep_alive SECONDS: renews the lease until it is killed. What it hears of a stop or a loss the next report hears too.
keep_alive() {
    pause=$((${1%.*} / 3))
    while sleep "$((pause > 0 ? pause : 1))"; do
        curl --silent --max-time 10 --request POST --header "@$folder/token" --header "Trimtab-Fence: $fence" \
            "$server/v1/leases/$lease/heartbeat"
    done
}

# Reports the line that the program has printed; returns whether it goes on.
report() {
    step=$((step + 1))
    call POST "/v1/leases/$lease/reports" "{\"step\": $step, \"metrics\": $metrics}"
    case $status in
    200) [ "$(field verdict)" = continue ] || outcome=pruned ;;
    409 | 410) outcome=lost ;;
    *) outcome=error && printf 'step %s: %s\n' "$step" "$answer" >&2 ;;
    esac
    [ -z "$outcome" ]
}

# train PROGRAM [ARGUMENT ...]: trains the trial that the answer is about, and leaves its outcome; empty: complete.
train() {
    PARAMS=$(printf '%s' "$answer" | sed -n 's/.*"params":\({[^}]*}\).*/\1/p')
    answer=$(printf '%s' "$answer" | sed 's/"params":{[^}]*}//')
    SEED=$(field seed)
    export PARAMS SEED
    lease=$(field id)
    fence=$(field fence)
    number=$(field trial)
    outcome=
    step=0
    metrics={}
    keep_alive "$(field expires_in)" >/dev/null 2>&1 &
    heart=$!
    "$@" >"$folder/steps" &
    trainer=$!
    while read -r line || [ -n "$line" ]; do # The last line may have no newline.
        metrics=$line
        report || break
    done <"$folder/steps"
    end_training
    case $outcome:$ended in
    :0) ;;
    :126 | :127)
        printf '%s cannot be started: is it there, and may it be executed (chmod +x)? The trial goes back\n' "$1" >&2
        leave "$ended"
        ;;
    :*) outcome=error ;;
    esac
}

# Tells how the trial ended.
tell() {
    case $outcome in
    lost) status=409 ;;
    pruned) call PUT "/v1/leases/$lease/result" '{"outcome": "pruned"}' ;;
    error) call PUT "/v1/leases/$lease/result" "{\"outcome\": \"error\", \"message\": \"step $step, exit code $ended\"}" ;;
    *) call PUT "/v1/leases/$lease/result" "{\"outcome\": \"complete\", \"metrics\": $metrics}" ;;
    esac
    case $status in
    200) printf 'trial %s: %s after %s steps: %s\n' "$number" "$(field state)" "$step" "$metrics" ;;
    409 | 410) printf 'trial %s: another worker has it, or nobody wants it\n' "$number" ;;
    422) [ -z "$outcome" ] && outcome=error && printf '%s\n' "$answer" >&2 && tell ;;
    *) printf '%s\n' "$answer" >&2 && leave 1 ;;
    esac
    lease=
}

while :; do
    # A signal is heeded when the call has ended, so it is a short one.
    call POST /v1/leases "{\"worker\": \"shell-$$\", \"study\": \"$study\", \"wait\": 5}" \
        "Idempotency-Key: $(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    case $status:$answer in
    200:*'"reason":"study_ended"'*) leave 0 ;;
    200:*'"leases":[]'*) ;;
    200:*)
        train "$@"
        tell
        ;;
    *) printf '%s\n' "$answer" >&2 && leave 1 ;;
    esac
done
