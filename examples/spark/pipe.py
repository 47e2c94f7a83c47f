#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A command of nystromformer over a text file of JSON lines, in as many processes as there are partitions.

    spark-submit --master 'local[2]' examples/spark/pipe.py INPUT OUTPUT \\
        build/release/bin/nystromformer fill-mask --model models/nystromformer-small-en --threads 1

OUTPUT is a new folder of part-00000 and so on, which after one another are what a single process writes for
INPUT: one line for each line, in order, lines of an error among them. A command that ends because some of its
lines are bad (exit code 3) is good; any other failure fails its task, which Spark tries again, and then the job,
so that no line is lost.
"""
import argparse
import itertools
import shlex

from pyspark.sql import SparkSession

# `read` takes the number that stands above each partition's lines, and leaves the rest to the command.
SHELL = 'read -r number && { "$@" --first-line "$number" || [ $? -eq 3 ]; }'


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s [--partitions N] INPUT OUTPUT COMMAND...")
    parser.add_argument("--partitions", type=int, metavar="N", help="at least N (default: 2, or the file's blocks)")
    parser.add_argument("input", help="a file, folder or pattern that Spark reads; UTF-8")
    parser.add_argument("output", help="a folder that does not exist")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="reads JSON lines and writes one for each")
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("a COMMAND is required")

    # A line ends at \n alone, as it does for the command.
    session = SparkSession.builder.config("spark.hadoop.textinputformat.record.delimiter", "\n").getOrCreate()
    lines = session.sparkContext.textFile(arguments.input, arguments.partitions)

    # Errors name the line of the whole input: each partition knows the number of its first line.
    counts = lines.mapPartitions(lambda partition: [sum(1 for _ in partition)]).collect()
    first_lines = list(itertools.accumulate(counts, initial=1))
    numbered = lines.mapPartitionsWithIndex(
        lambda index, partition: itertools.chain([str(first_lines[index])], partition))
    # Without checkCode Spark would take a command that fails for one that is done.
    answers = numbered.pipe(shlex.join(["sh", "-c", SHELL, "sh", *arguments.command]), checkCode=True)
    answers.saveAsTextFile(arguments.output)
    session.stop()


if __name__ == "__main__":
    main()
