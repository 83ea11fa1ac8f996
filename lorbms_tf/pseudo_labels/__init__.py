"""Learning from labels that k-means makes up (Caron et al. 2018): clusters, and learning them.

DeepCluster repeats both in turns; the evaluation's knowledge transfer (thesis, chapter 4) does
each once.
"""
