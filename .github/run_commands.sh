#!/usr/bin/env bash
# Runs hipaudit once for each line of $COMMANDS, each with a SARIF file of its own below $SARIF.
# All of them run; the exit code is the worst one. $1 is the folder with the programs.
set -uo pipefail

mkdir -p "$SARIF"
echo "sarif=$(realpath "$SARIF")" >> "$GITHUB_OUTPUT"
shared=(--fail-on "$FAIL_ON")
if [ -n "$BASELINE" ]; then shared+=(--baseline "$BASELINE"); fi

worst=0
number=0
while IFS= read -r line; do
  if [ -z "${line//[[:space:]]/}" ]; then continue; fi
  number=$((number + 1))
  # xargs splits as a shell does, quotes included, and runs nothing but printf.
  if ! listed=$(xargs printf '%s\n' <<< "$line"); then
    echo "hipaudit: the quotes of this line do not match: $line" >&2
    worst=2
    continue
  fi
  mapfile -t words <<< "$listed"
  echo "hipaudit $line"
  PATH="$1:$PATH" "$1/hipaudit" "${words[0]}" "${shared[@]}" --sarif "$SARIF/$number.sarif" \
    "${words[@]:1}" < /dev/null  # not the lines that are left
  code=$?
  if [ "$code" -gt "$worst" ]; then worst=$code; fi
done <<< "$COMMANDS"

if [ "$number" -eq 0 ]; then
  echo "hipaudit: no command was given" >&2
  worst=2
fi
exit "$worst"
