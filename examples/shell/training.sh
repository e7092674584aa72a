#!/bin/sh
# What worker.sh calls, for each trial: fits a line to points by gradient descent with momentum, and prints the error
# after each pass. The points are those of y = 2x - 1, moved a little; awk does the sums.

number() {
    printf '%s' "$PARAMS" | sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"
}

exec awk -v rate="$(number learning_rate)" -v momentum="$(number momentum)" 'BEGIN {
    split("-2 -1 0 1 2", x, " ")
    split("-5.1 -2.9 -1.1 0.9 3.2", y, " ")
    for (epoch = 1; epoch <= 20; epoch++) {
        slope_gradient = offset_gradient = 0
        for (i = 1; i <= 5; i++) {
            off = slope * x[i] + offset - y[i]
            slope_gradient += 2 / 5 * off * x[i]
            offset_gradient += 2 / 5 * off
        }
        slope += slope_speed = momentum * slope_speed - rate * slope_gradient
        offset += offset_speed = momentum * offset_speed - rate * offset_gradient
        error = 0
        for (i = 1; i <= 5; i++) error += (slope * x[i] + offset - y[i]) ^ 2 / 5
        printf "{\"validation_error\": %s}\n", error < 1e100 ? sprintf("%.6g", error) : "null"
        fflush()
    }
}'
