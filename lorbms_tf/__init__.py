"""Learning object representations by mixing scenes (LORBMS), in Keras 3 and TensorFlow.

Importing this package is light: TensorFlow and Keras load with the modules that need them.
"""

__version__ = "0.1.0"
