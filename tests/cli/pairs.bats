#!/usr/bin/env bats
# neighbours, cluster, pick: tables of an index's pairs, against RDKit's and by hand; parts and their merging; what is refused.

load images

setup() {
    cd "$BATS_TEST_TMPDIR"
    Q=("$NEPENTHE")
}

# fps FILE HEX...: an FPS file of rows called m0, m1, ...
fps() {
    local out=$1 i=0
    shift
    printf '#FPS1\n#num_bits=%d\n' $((4 * ${#1})) > "$out"
    for hex in "$@"; do printf '%s\tm%d\n' "$hex" $((i++)) >> "$out"; done
}

# The 300 molecules of the golden as golden.nepx, by their ids m0 ...
golden_index() {
    fps golden.fps $(tail -n +2 "$GOLDEN/pairs_fps.tsv" | cut -f2)
    make_index golden.fps golden.nepx
}

# Ten rows: m0 m3 m4 m6 a family, m1 m5 twins, m2 empty, m7 m8 m9 a chain.
small_index() {
    fps small.fps 00f00f0000000000 0300000000000000 0000000000000000 00f80f0000000000 00f8070000000000 0300000000000000 00f00f0000000000 \
        000000000f000000 00000000ff000000 00000000f0000000
    make_index small.fps small.nepx
}

make_index() { "$NEPENTHE" vectors "$1" -o "$2" -q; }

@test "neighbours --threshold: RDKit's pairs with their integers, once each, the smaller row first" {
    golden_index
    "${Q[@]}" neighbours golden.nepx --threshold 0.3 -o got.tsv
    [ "$(head -1 got.tsv)" = "$(printf 'row_a\tid_a\trow_b\tid_b\tscore\tcommon\tunion')" ]
    tail -n +2 got.tsv | awk -F'\t' '{if($2!="m"$1||$4!="m"$3||$1>=$3)bad++; e=$5-$6/$7; if(e*e>1e-16)bad++; print $1"\t"$3"\t"$6"\t"$7} END{exit bad>0}' | sort > got
    tail -n +2 "$GOLDEN/pairs_within.tsv" | sort > want
    cmp got want
    run python3 -c 'import json; d=json.load(open("got.json")); print(d["Neighbours"]["pairs"], d["Neighbours"]["exact"], d["parameters"]["threshold"])'
    [ "$output" = "195 True 0.3" ]
}

@test "neighbours: the same bytes for any number of threads, with and without sketches, on standard output and from parts" {
    golden_index
    "${Q[@]}" neighbours golden.nepx --threshold 0.25 --threads 1 -o a.tsv
    "${Q[@]}" neighbours golden.nepx --threshold .250 --threads 3 --no-sketch > b.tsv
    cmp a.tsv b.tsv
    "${Q[@]}" neighbours golden.nepx --top 7 -o top.tsv
    for i in 3 1 2; do
        "${Q[@]}" neighbours golden.nepx --threshold 0.25 --shard $i/3 -o part$i
        "${Q[@]}" neighbours golden.nepx --top 7 --shard $i/3 -o top$i
    done
    "${Q[@]}" merge part2 part3 part1 -o whole.tsv
    cmp a.tsv whole.tsv
    "${Q[@]}" merge top1 top2 top3 > topall.tsv
    cmp top.tsv topall.tsv
}

@test "merge refuses parts that are missing, doubled, foreign or cut short" {
    golden_index
    small_index
    for i in 1 2 3; do "${Q[@]}" neighbours golden.nepx --threshold 0.25 --shard $i/3 -o part$i; done
    refused() {
        run "${Q[@]}" merge "${@:2}" -o out.tsv
        [ "$status" -eq 65 ]
        [ "${#lines[@]}" -eq 1 ]
        [[ "$output" == *"$1"* ]]
        [ ! -e out.tsv ]
    }
    refused "part 3 of 3 is missing" part1 part2
    refused "part 1 of 3 is missing" part3 part2
    refused "are both part 2 of 3" part1 part2 part3 part2
    "${Q[@]}" neighbours golden.nepx --threshold 0.26 --shard 2/3 -o foreign
    refused "is a part of another table" part1 foreign part3
    "${Q[@]}" neighbours small.nepx --threshold 0.25 --shard 2/3 -o foreign
    refused "is a part of another table" part1 foreign part3
    head -c -6 part2 > cut
    refused "cut: is no whole part" part1 cut part3
    sed '5d' part2 > cut
    refused "cut: is no whole part" part1 cut part3
    { cat part2; echo more; } > cut
    refused "cut: is no whole part" part1 cut part3
    head -2 part2 > cut
    refused "(which part it is)" part1 cut part3
}

@test "neighbours --top: by hand, with duplicates, ties by row number and rows without any bit in common" {
    small_index
    "${Q[@]}" neighbours small.nepx --top 2 > got
    diff - <(cut -f1,3,4,6- got) <<EOF
$(printf 'row\trank\tneighbour_row\tscore\tcommon\tunion\n0\t1\t6\t1\t8\t8\n0\t2\t3\t0.888888889\t8\t9\n1\t1\t5\t1\t2\t2\n1\t2\t0\t0\t0\t10
2\t1\t0\t0\t0\t8\n2\t2\t1\t0\t0\t2\n3\t1\t0\t0.888888889\t8\t9\n3\t2\t4\t0.888888889\t8\t9\n4\t1\t3\t0.888888889\t8\t9\n4\t2\t0\t0.777777778\t7\t9
5\t1\t1\t1\t2\t2\n5\t2\t0\t0\t0\t10\n6\t1\t0\t1\t8\t8\n6\t2\t3\t0.888888889\t8\t9\n7\t1\t8\t0.5\t4\t8\n7\t2\t0\t0\t0\t12
8\t1\t7\t0.5\t4\t8\n8\t2\t9\t0.5\t4\t8\n9\t1\t8\t0.5\t4\t8\n9\t2\t0\t0\t0\t12')
EOF
    run bash -c "'$NEPENTHE' neighbours small.nepx --top 100 | tail -n +2 | wc -l"
    [ "$output" -eq 90 ]
    run bash -c "'$NEPENTHE' neighbours small.nepx --top 3 --threshold 0.8 | tail -n +2 | cut -f1,4 | tr '\n\t' ' -'"
    [ "$output" = "0-6 0-3 1-5 3-0 3-4 3-6 4-3 5-1 6-0 6-3 " ]
}

@test "cluster: RDKit's clusters, plain and reordered, and a small one by hand" {
    golden_index
    for threshold in 0.25 0.4; do
        for way in 0 1; do
            flag=$([ $way = 1 ] && echo --reordering || true)
            "${Q[@]}" cluster golden.nepx --threshold $threshold $flag -q -o got.tsv
            tail -n +2 got.tsv | awk -F'\t' '{if($5==1)c=$3; if(($5==1)!=($2==1)||$4!="m"$3)bad++; print $1-1"\t"c"\t"$3} END{exit bad>0}' | sort > got
            awk -F'\t' -v t=$threshold -v w=$way '$1==t&&$2==w{print $3"\t"$4"\t"$5}' "$GOLDEN/pairs_butina.tsv" | sort > want
            cmp got want
        done
    done
    small_index
    "${Q[@]}" cluster small.nepx --threshold 0.5 -q > got
    diff - got <<EOF
$(printf 'cluster\trank_in_cluster\trow\tid\tis_centroid\tscore_to_centroid\n1\t1\t0\tm0\t1\t1\n1\t2\t6\tm6\t0\t1\n1\t3\t3\tm3\t0\t0.888888889\n1\t4\t4\tm4\t0\t0.777777778
2\t1\t8\tm8\t1\t1\n2\t2\t7\tm7\t0\t0.5\n2\t3\t9\tm9\t0\t0.5\n3\t1\t1\tm1\t1\t1\n3\t2\t5\tm5\t0\t1\n4\t1\t2\tm2\t1\t0')
EOF
    run "${Q[@]}" cluster small.nepx --threshold 0.5
    [[ "${lines[-1]}" == "cluster: 10 rows in 4 clusters, 1 of one row" || "${lines[0]}" == "cluster: 10 rows in 4 clusters, 1 of one row" ]]
    run bash -c "'$NEPENTHE' cluster small.nepx --threshold 0.5 -q --json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d[\"schema\"], len(d[\"clusters\"]), d[\"summary\"][\"largest\"], d[\"clusters\"][1][0][\"id\"])'"
    [ "$output" = "nepenthe/cluster/1 4 4 m8" ]
}

@test "cluster: more neighbours than the memory allows are refused with what would do" {
    fps many.fps $(for i in $(seq 2500); do echo 00f00f0000000000; done)
    make_index many.fps many.nepx
    run "${Q[@]}" cluster many.nepx --threshold 0.5 --mem-mb 16 -o out.tsv
    [ "$status" -eq 71 ]
    [[ "${lines[-1]}" == *"the 3123750 pairs within 0.5 need 24 MB, the budget is 16 MB; --mem-mb 88 would do"* ]]
    [ ! -e out.tsv ]
    "${Q[@]}" cluster many.nepx --threshold 0.5 --mem-mb 88 -q -o out.tsv
    [ "$(cut -f1 out.tsv | tail -n +2 | sort -u | wc -l)" -eq 1 ]
}

@test "pick: RDKit's picks from the same first one; first by id, by row and drawn" {
    golden_index
    for first in 0 100 257; do
        "${Q[@]}" pick golden.nepx --n 120 --first m$first > got.tsv
        tail -n +2 got.tsv | awk -F'\t' -v f=$first '{print f"\t"$1-1"\t"$2}' > got
        awk -F'\t' -v f=$first '$1==f' "$GOLDEN/pairs_maxmin.tsv" > want
        cmp got want
        "${Q[@]}" pick golden.nepx --n 120 --first-row $first | cmp - got.tsv
    done
    [ "$(head -2 got.tsv | tail -1)" = "$(printf '1\t257\tm257\tn/a\tn/a')" ]
    "${Q[@]}" pick golden.nepx --n 5 --seed 3 > a
    "${Q[@]}" pick golden.nepx --n 5 --seed 3 --threads 1 > b
    "${Q[@]}" pick golden.nepx --n 5 --seed 4 > c
    cmp a b
    run cmp -s a c
    [ "$status" -eq 1 ]
}

@test "pick: distances and nearest picks by hand, a stop by distance, all rows when there are fewer" {
    small_index
    "${Q[@]}" pick small.nepx --n 20 --first m0,m1 > got 2> says
    grep -q "20 rows are wanted and the index has 10" says
    [ "$(tail -n +2 got | wc -l)" -eq 10 ]
    [ "$(sed -n 4,7p got | tr '\t\n' ' ;')" = "3 2 m2 1 1;4 7 m7 1 1;5 9 m9 1 1;6 8 m8 0.5 4;" ]
    run bash -c "'$NEPENTHE' pick small.nepx --n 20 -q --first m0,m1 --threshold 0.2 | tail -n +2 | cut -f2 | tr '\n' ' '"
    [ "$output" = "0 1 2 7 9 8 4 " ]
    run bash -c "'$NEPENTHE' pick small.nepx --n 20 -q --first m0,m1 --threshold 0.5 --json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d[\"schema\"], d[\"summary\"][\"picks\"], d[\"summary\"][\"least_distance\"], d[\"picks\"][0][\"nearest_pick\"])'"
    [ "$output" = "nepenthe/pick/1 6 0.5 None" ]
}

@test "each bad word is one sentence with its exit code, and no file" {
    small_index
    says() {
        run "${Q[@]}" "${@:3}"
        echo "$output"
        [ "$status" -eq "$1" ]
        [ "${#lines[@]}" -eq 1 ]
        [[ "$output" == *"$2"* ]]
        [ ! -e out.tsv ]
    }
    printf 'not an index\n' > bad.nepx
    : > empty.nepx
    for command in "neighbours --top 3" "cluster --threshold 0.5" "pick --n 3"; do
        set -- $command
        says 66 "gone.nepx" "$@" gone.nepx -o out.tsv
        says 65 "bad.nepx" "$@" bad.nepx -o out.tsv
        says 65 "empty.nepx" "$@" empty.nepx -o out.tsv
        says 64 "is of dense vectors and the index holds bit vectors" "$@" small.nepx --metric l2 -o out.tsv
        says 64 "needs --alpha and --beta" "$@" small.nepx --metric tversky -o out.tsv
        says 64 "--alpha and --beta belong to --metric tversky" "$@" small.nepx --alpha 1 -o out.tsv
    done
    says 64 "--top K or --threshold T" neighbours small.nepx -o out.tsv
    says 64 "at least 1 neighbour" neighbours small.nepx --top 0 -o out.tsv
    says 64 "unequal weights" neighbours small.nepx --threshold 0.5 --metric tversky --alpha 1 --beta 0.5 -o out.tsv
    for threshold in 0 1.01 -0.5 7e-1 x; do
        says 64 "" neighbours small.nepx --threshold $threshold -o out.tsv
        says 64 "" cluster small.nepx --threshold $threshold -o out.tsv
    done
    says 64 "--threshold: 'x' is not a decimal" neighbours small.nepx --threshold x -o out.tsv
    says 64 "give --threshold T" cluster small.nepx -o out.tsv
    says 64 "is not I/N" neighbours small.nepx --top 1 --shard 4/3 -o out.tsv
    says 64 "name its file with -o" neighbours small.nepx --top 1 --shard 1/3
    says 64 "how many rows" pick small.nepx -o out.tsv
    says 64 "at least 1 row" pick small.nepx --n 0 -o out.tsv
    says 64 "no row of the index is called 'nobody'" pick small.nepx --n 2 --first nobody -o out.tsv
    says 64 "'10' is no row from 0 to 9" pick small.nepx --n 2 --first-row 10 -o out.tsv
    says 64 "given twice" pick small.nepx --n 3 --first m1 --first-row 1 -o out.tsv
    says 64 "2 first rows are given, 1 are wanted" pick small.nepx --n 1 --first m1,m2 -o out.tsv
    says 64 "--threshold: '-1' is not a decimal" pick small.nepx --n 2 --threshold -1 -o out.tsv
    says 73 "" cluster small.nepx --threshold 0.5 -q -o gone/out.tsv
}

@test "tversky with equal weights is a graph; with --top any weights are" {
    small_index
    run bash -c "'$NEPENTHE' neighbours small.nepx --threshold 1 --metric tversky --alpha 0.5 --beta .5 | tail -n +2 | cut -f1,3 | tr '\n\t' ' -'"
    [ "$output" = "1-5 0-6 " ]
    "${Q[@]}" neighbours small.nepx --top 1 --metric tversky --alpha 1 --beta 0 | grep -q "^7	m7	1	8	m8	1	4	8$"
}

@test "dense vectors: pairs, nearest, clusters and picks are numpy's" {
    need_nibabel
    "$PYTHON" - <<'PY'
import numpy as np
rng = np.random.default_rng(5)
x = (rng.integers(-3, 4, (12, 20))[np.arange(60) % 12] * 4 + rng.integers(-4, 5, (60, 20))).astype(np.float32)
np.save("x.npy", x)
d = np.sqrt(((x[:, None].astype(float) - x[None]) ** 2).sum(-1))
u = x.astype(float) / np.linalg.norm(x.astype(float), axis=1)[:, None]
c = u @ u.T
with open("l2", "w") as f:
    f.writelines(f"{i}\t{j}\t{d[i, j]:.3f}\n" for i in range(60) for j in range(i + 1, 60) if d[i, j] <= 20.5)
np.fill_diagonal(c, -2)
with open("near", "w") as f:
    f.writelines(f"{i}\t{int(np.argmax(c[i]))}\n" for i in range(60))
picks, near = [7], d[7].copy()
while len(picks) < 12:
    picks.append(int(np.argmax(near)))
    near = np.minimum(near, d[picks[-1]])
with open("picks", "w") as f:
    f.writelines(f"{p}\n" for p in picks)
PY
    make_index x.npy x.nepx
    "${Q[@]}" neighbours x.nepx --metric l2 --threshold 20.5 | tail -n +2 | awk -F'\t' '{printf "%d\t%d\t%.3f\n", $1, $3, $5}' | cmp - l2
    [ -s l2 ]
    "${Q[@]}" neighbours x.nepx --top 1 | tail -n +2 | cut -f1,4 | cmp - near
    "${Q[@]}" pick x.nepx --metric l2 --n 12 --first-row 7 | tail -n +2 | cut -f2 | cmp - picks
    "${Q[@]}" cluster x.nepx --threshold 0.7 -q -o got.tsv
    [ "$(head -1 got.tsv)" = "$(printf 'cluster\trank_in_cluster\trow\tid\tis_centroid\tscore_to_centroid')" ]
    [ "$(tail -n +2 got.tsv | cut -f3 | sort -n | uniq | wc -l)" -eq 60 ]
    tail -n +2 got.tsv | awk -F'\t' '$6<0.7{exit 1}'
    run "${Q[@]}" neighbours x.nepx --threshold 0.5 --metric tanimoto
    [ "$status" -eq 64 ]
    [[ "$output" == *"is of bit vectors and the index holds dense vectors"* ]]
    run "${Q[@]}" pick x.nepx --n 3 --metric inner
    [ "$status" -eq 64 ]
    [[ "$output" == *"no distance"* ]]
}

@test "a plan writes nothing; an interrupted run leaves nothing" {
    small_index
    for command in "neighbours --top 3" "cluster --threshold 0.5" "pick --n 3"; do
        set -- $command
        run "${Q[@]}" "$@" small.nepx --dry-run -o out.tsv
        [ "$status" -eq 0 ]
        [[ "$output" == *"output	out.tsv"* ]]
        [ ! -e out.tsv ]
    done
    fps many.fps $(for i in $(seq 4000); do printf '%04x0f0000000000\n' $((i % 1000)); done)
    make_index many.fps many.nepx
    "${Q[@]}" neighbours many.nepx --threshold 0.000001 -q -o out.tsv & pid=$!
    for i in $(seq 200); do [ -e out.tsv.part ] && break; sleep 0.01; done
    kill -INT $pid
    local code=0
    wait $pid || code=$?
    [ $code -eq 130 ]
    [ ! -e out.tsv ]
    [ ! -e out.tsv.part ]
}

@test "help: every option with what it means" {
    for command in neighbours cluster pick; do
        "${Q[@]}" $command --help | sed -n '/^options$/,/^options of/p' | grep '^ *--\|^  -' | sed -E 's/^ *(-., )?//' | cut -d' ' -f1 > $command.options
    done
    [ "$(tr '\n' ' ' < neighbours.options)" = "--top --threshold --metric --alpha --beta --no-sketch --shard " ]
    [ "$(tr '\n' ' ' < cluster.options)" = "--threshold --metric --alpha --beta --reordering --no-sketch " ]
    [ "$(tr '\n' ' ' < pick.options)" = "--n --first --first-row --threshold --metric --alpha --beta " ]
}
