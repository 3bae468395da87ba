#!/usr/bin/env bash
# The one entry for every job: sets the project up on its first call, then runs Spark's own spark-submit.
# `./spark-submit.sh --help` says how; docs/architecture.md says more. Kept to bash 3.2, which macOS has.
set -euo pipefail

# --- where we are: through symbolic links, from any folder ------------------------------------------------------
self="${BASH_SOURCE[0]}"
while [ -L "$self" ]; do
    target="$(readlink "$self")"
    case "$target" in /*) self="$target" ;; *) self="$(dirname "$self")/$target" ;; esac
done
CDP_HOME="$(cd "$(dirname "$self")" && pwd -P)"
export CDP_HOME

venv="$CDP_HOME/.venv"
cache="$CDP_HOME/.cache"
jars="$cache/jars"
delta_version="4.4.0"
delta_spark="delta-spark_4.2_2.13"
postgresql_version="42.7.8" # the driver that sources of format jdbc read with
jar_names="$delta_spark-$delta_version.jar delta-storage-$delta_version.jar postgresql-$postgresql_version.jar"

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit 2
}

# --- help -------------------------------------------------------------------------------------------------------
list_jobs() {
    local file name
    for file in "$CDP_HOME"/jobs/*.py; do
        name="$(basename "$file" .py)"
        awk -v name="$name" 'NR == 1 { sub(/^"""/, ""); printf "  %-10s %s\n", name, $0; exit }' "$file"
    done
}

usage() {
    cat <<USAGE
usage: ./spark-submit.sh [spark-submit options] JOB [job options]

jobs:
$(list_jobs)

  ./spark-submit.sh pipeline                                   # the sample retailer, everything
  ./spark-submit.sh pipeline --help                            # options of a job
  ./spark-submit.sh --master spark://host:7077 pipeline ...    # the same job on a cluster
  ./spark-submit.sh --setup                                    # only set up
USAGE
}

# --- what stands before the job name is for spark-submit ----------------------------------------------------------
with_value=" --master --remote --deploy-mode --class --name --jars --packages --exclude-packages --repositories
 --py-files --files --archives --conf -c --properties-file --driver-memory --driver-java-options --driver-library-path
 --driver-class-path --executor-memory --proxy-user --driver-cores --total-executor-cores --executor-cores
 --num-executors --principal --keytab --queue "
flags=" --verbose -v --supervise --load-spark-defaults "

options=()
master=""
own_jars=""
own_py_files=""
own_java_options=""
has_memory=""
setup_only=""
job=""

take_option() { # name value: remembers what we merge with our own, passes on the rest
    case "$1" in
    --master) master="$2" ;;
    --jars) own_jars="$2" && return ;;
    --py-files) own_py_files="$2" && return ;;
    --driver-java-options) own_java_options="$2" && return ;;
    --driver-memory) has_memory=1 ;;
    --conf | -c)
        case "$2" in
        spark.master=*) master="${2#*=}" ;;
        spark.jars=*) own_jars="${2#*=}" && return ;;
        spark.submit.pyFiles=*) own_py_files="${2#*=}" && return ;;
        spark.driver.memory=*) has_memory=1 ;;
        spark.driver.extraJavaOptions=*) own_java_options="${2#*=}" && return ;;
        esac
        ;;
    esac
    options+=("$1" "$2")
}

while [ $# -gt 0 ]; do
    case "$1" in
    -h | --help)
        usage
        exit 0
        ;;
    --setup)
        setup_only=1
        shift
        ;;
    --*=*)
        name="${1%%=*}"
        case "$with_value" in *" $name "* | *" $name"$'\n'*) take_option "$name" "${1#*=}" ;; *) die "unknown spark-submit option $name; options of a job stand after its name" ;; esac
        shift
        ;;
    -*)
        case "$with_value" in
        *" $1 "* | *" $1"$'\n'*)
            [ $# -ge 2 ] || die "spark-submit option $1 needs a value"
            take_option "$1" "$2"
            shift 2
            ;;
        *)
            case "$flags" in
            *" $1 "*) options+=("$1") ;;
            *) die "unknown spark-submit option $1; options of a job stand after its name. Known:$(printf '%s' "$with_value$flags" | tr '\n' ' ')" ;;
            esac
            shift
            ;;
        esac
        ;;
    *)
        job="$1"
        shift
        break
        ;;
    esac
done

if [ -z "$job" ] && [ -z "$setup_only" ]; then
    usage
    exit 0
fi
if [ -n "$job" ] && [ ! -f "$CDP_HOME/jobs/$job.py" ]; then
    say "error: no job called $job; there are:"
    list_jobs >&2
    exit 2
fi

# --- what the machine must have ---------------------------------------------------------------------------------
find_python() {
    local candidate path
    for candidate in ${CDP_PYTHON:-} python3.13 python3.12 python3.11 python3.10 python3 python; do
        path="$(command -v "$candidate" 2>/dev/null)" || continue
        if "$path" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            printf '%s' "$path"
            return 0
        fi
    done
    return 1
}

java_version() { "$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1; }

find_java() {
    local candidate
    for candidate in "${JAVA_HOME:+$JAVA_HOME/bin/java}" "$(command -v java 2>/dev/null || true)" \
        /usr/lib/jvm/*17*/bin/java /usr/lib/jvm/*21*/bin/java /opt/homebrew/opt/openjdk@17/bin/java; do
        [ -n "$candidate" ] && [ -x "$candidate" ] || continue
        case "$(java_version "$candidate")" in
        17 | 21)
            printf '%s' "$candidate"
            return 0
            ;;
        esac
    done
    return 1
}

missing() { # what, found
    say "error: $1 is needed; found $2. Install it, then call again:"
    say "  Debian, Ubuntu   sudo apt-get install python3 python3-venv openjdk-17-jre-headless"
    say "  Fedora           sudo dnf install python3 java-21-openjdk-headless"
    say "  macOS            brew install python@3.12 openjdk@17"
    exit 2
}

java="$(find_java)" || {
    found="none"
    command -v java >/dev/null 2>&1 && found="Java $(java_version "$(command -v java)")"
    missing "Java 17 or 21" "$found"
}
if [ -z "${JAVA_HOME:-}" ] || [ "$java" != "$JAVA_HOME/bin/java" ]; then
    if [ "$java" = "$(command -v java 2>/dev/null || true)" ]; then
        unset JAVA_HOME # the one on the PATH is right, and Spark finds it there
    else
        JAVA_HOME="$(dirname "$(dirname "$java")")"
        export JAVA_HOME
    fi
fi

# --- set-up, once -----------------------------------------------------------------------------------------------
lock_file="$CDP_HOME/requirements.lock"
if [ -n "${CDP_DEV:-}" ] || grep -qs '^dev' "$venv/.cdp-ready"; then lock_file="$CDP_HOME/requirements-dev.lock"; fi
kind="run"
case "$lock_file" in *-dev.lock) kind="dev" ;; esac
# Size and time would miss a change of content after a checkout, so the content itself is summed: a few milliseconds.
ready_mark="$kind $(cksum <"$lock_file")"

is_ready() {
    local jar
    [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.cdp-ready" 2>/dev/null)" = "$ready_mark" ] || return 1
    # An environment does not survive being moved: its scripts and its Python point to the old place.
    [ "$(cat "$venv/.cdp-home" 2>/dev/null)" = "$CDP_HOME" ] || return 1
    for jar in $jar_names; do [ -s "$jars/$jar" ] || return 1; done
}

pyspark_folder() { "$venv/bin/python" -c 'import pyspark, os; print(os.path.dirname(pyspark.__file__))'; }

make_venv() {
    local python
    python="$(find_python)" || missing "Python 3.10 to 3.13 with its venv module" "$(python3 --version 2>&1 || echo none)"
    say "Setting up, once: a Python environment in .venv (a minute or two) ..."
    rm -f "$venv/.cdp-ready"
    if [ "$(cat "$venv/.cdp-home" 2>/dev/null)" != "$CDP_HOME" ]; then rm -rf "$venv"; fi
    "$python" -m venv "$venv" || die "cannot make $venv; is there space, and permission to write?"
    printf '%s' "$CDP_HOME" >"$venv/.cdp-home"
    "$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes -r "$lock_file" >&2 ||
        die "the Python packages could not be installed; see pip's message above. Calling again goes on from here"
    pyspark_folder >"$venv/.cdp-pyspark"
    # The library itself: `import cdp` in a notebook, and the `cdp` command, without a build.
    printf '%s\n' "$CDP_HOME/lib" >"$(dirname "$(cat "$venv/.cdp-pyspark")")/spark-cdp.pth"
    printf '#!/bin/sh\nexec "$(dirname "$0")/python" -m cdp.cli "$@"\n' >"$venv/bin/cdp"
    chmod +x "$venv/bin/cdp"
}

fetch_jars() {
    local ivy="$cache/ivy.$$" jar group
    say "Setting up, once: the Delta jars and the PostgreSQL driver in .cache/jars ..."
    rm -rf "$ivy"
    mkdir -p "$jars" "$ivy" || die "cannot write to $cache"
    printf '' >"$ivy/nothing.py"
    # Spark's own resolver, in an empty cache: a half-filled one elsewhere would drop jars without a word.
    if ! SPARK_HOME="$(cat "$venv/.cdp-pyspark")" PYSPARK_PYTHON="$venv/bin/python" PYSPARK_DRIVER_PYTHON="$venv/bin/python" \
        "$(cat "$venv/.cdp-pyspark")/bin/spark-submit" --master 'local[1]' \
        --packages "io.delta:$delta_spark:$delta_version,org.postgresql:postgresql:$postgresql_version" \
        --conf "spark.jars.ivy=$ivy" ${CDP_IVY_SETTINGS:+--conf "spark.jars.ivySettings=$CDP_IVY_SETTINGS"} \
        "$ivy/nothing.py" >"$ivy/log" 2>&1; then
        tail -5 "$ivy/log" >&2
        rm -rf "$ivy"
        die "the jars could not be fetched; is there a network? Behind a mirror set CDP_IVY_SETTINGS"
    fi
    for jar in $jar_names; do
        case "$jar" in postgresql-*) group="org.postgresql" ;; *) group="io.delta" ;; esac
        mv "$ivy/jars/${group}_$jar" "$jars/.$jar.$$" && mv "$jars/.$jar.$$" "$jars/$jar" ||
            die "$jar is not among what was fetched"
    done
    rm -rf "$ivy"
}

set_up() {
    [ -w "$CDP_HOME" ] || die "no permission to write to $CDP_HOME, which the set-up needs"
    mkdir -p "$cache" || die "cannot make $cache"
    # Two first calls: the second waits for the first. macOS has no flock; a folder is made by one process only.
    local lock="$cache/setup.lock" owner told=""
    until mkdir "$lock" 2>/dev/null; do
        owner="$(cat "$lock/pid" 2>/dev/null || true)"
        if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
            rm -rf "$lock" # its maker was killed
            continue
        fi
        [ -n "$told" ] || say "Another call is setting up; waiting for it ..."
        told=1
        sleep 1
    done
    printf '%s' "$$" >"$lock/pid"
    trap 'rm -rf "$lock"; exit 130' INT TERM
    trap 'rm -rf "$lock"' EXIT
    if ! is_ready; then
        if [ "$(cat "$venv/.cdp-ready" 2>/dev/null)" != "$ready_mark" ] ||
            [ "$(cat "$venv/.cdp-home" 2>/dev/null)" != "$CDP_HOME" ]; then
            make_venv
        fi
        local jar
        for jar in $jar_names; do
            if [ ! -s "$jars/$jar" ]; then
                fetch_jars
                break
            fi
        done
        printf '%s' "$ready_mark" >"$venv/.cdp-ready"
        say "Set up."
    fi
    rm -rf "$lock"
    trap - INT TERM EXIT
}

is_ready || set_up
[ -z "$setup_only" ] || exit 0

# --- the call itself --------------------------------------------------------------------------------------------
SPARK_HOME="$(cat "$venv/.cdp-pyspark")"
PYSPARK_PYTHON="${PYSPARK_PYTHON:-$venv/bin/python}"
PYSPARK_DRIVER_PYTHON="${PYSPARK_DRIVER_PYTHON:-$PYSPARK_PYTHON}"
PYTHONPATH="$CDP_HOME/lib${PYTHONPATH:+:$PYTHONPATH}"
GX_ANALYTICS_ENABLED=false
MLFLOW_DISABLE_TELEMETRY=true
DO_NOT_TRACK=true
export SPARK_HOME PYSPARK_PYTHON PYSPARK_DRIVER_PYTHON PYTHONPATH GX_ANALYTICS_ENABLED MLFLOW_DISABLE_TELEMETRY DO_NOT_TRACK
unset PYTHONHOME SPARK_CONF_DIR SPARK_ENV_LOADED

CDP_JARS=""
for jar in $jar_names; do CDP_JARS="${CDP_JARS:+$CDP_JARS,}$jars/$jar"; done
export CDP_JARS

if [ -z "$master" ]; then
    master="local[*]"
    options+=(--master "$master")
fi
case "$master" in
local*)
    SPARK_LOCAL_IP="${SPARK_LOCAL_IP:-127.0.0.1}"
    export SPARK_LOCAL_IP
    if [ -z "$has_memory" ]; then
        # Half of the machine, from 1 to 8 GB.
        total="$(awk '/MemTotal/ {print int($2 / 2097152)}' /proc/meminfo 2>/dev/null || true)"
        [ -n "$total" ] || total="$(($(sysctl -n hw.memsize 2>/dev/null || echo 4294967296) / 2147483648))"
        [ "$total" -ge 1 ] || total=1
        [ "$total" -le 8 ] || total=8
        options+=(--driver-memory "${total}g")
    fi
    ;;
*)
    # Executors elsewhere have no copy of the library.
    library="$cache/cdp.zip"
    if [ ! -f "$library" ] || [ -n "$(find "$CDP_HOME/lib/cdp" -newer "$library" -name '*.py' -print -quit)" ]; then
        "$venv/bin/python" - "$CDP_HOME/lib" "$library" <<'PYTHON'
import os, pathlib, sys, zipfile

root, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
scratch = target.with_name(f".{target.name}.{os.getpid()}")
with zipfile.ZipFile(scratch, "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            archive.write(path, path.relative_to(root))
scratch.replace(target)
PYTHON
    fi
    own_py_files="$library${own_py_files:+,$own_py_files}"
    ;;
esac

log4j="-Dlog4j2.configurationFile=file://$(printf '%s' "$CDP_HOME/lib/cdp/base/log4j2.properties" | sed 's/ /%20/g')"
[ -z "$own_py_files" ] || options+=(--py-files "$own_py_files")
options+=(--jars "$CDP_JARS${own_jars:+,$own_jars}")
# As in lib/cdp/base/session.py, which says why; a JVM takes one collector only, so that of the user stands alone.
compiler="-XX:Tier4InvocationThreshold=20000 -XX:Tier4MinInvocationThreshold=2400"
compiler="$compiler -XX:Tier4CompileThreshold=60000 -XX:Tier4BackEdgeThreshold=160000"
collector="-XX:+UseParallelGC "
case "$own_java_options ${JAVA_TOOL_OPTIONS:-} ${JDK_JAVA_OPTIONS:-}" in *-XX:+Use*GC*) collector="" ;; esac
options+=(--driver-java-options "$log4j $collector$compiler${own_java_options:+ $own_java_options}")

if [ -n "${CDP_PRINT_COMMAND:-}" ]; then
    printf '%s\n' "$SPARK_HOME/bin/spark-submit" "${options[@]}" "$CDP_HOME/jobs/$job.py" "$@"
    exit 0
fi
# The JVM's note on its own incubator module says nothing to our users; every other line passes.
exec "$SPARK_HOME/bin/spark-submit" "${options[@]}" "$CDP_HOME/jobs/$job.py" "$@" \
    2> >(grep --line-buffered -v -e '^WARNING: Using incubator modules: jdk.incubator.vector$' >&2)
