"""Every method over a whole data set: how well its explanations hold, and how near they come to what people marked.

samples.py     rows of a data set, with what people said of each word and phrase, where they did
measure.py     one text: each method's figures
comparison.py  two explanations side by side, word by word
run.py         all texts, in several processes; what was measured is on disk, so that a run can be taken up again
table.py       the figures as a document
"""
