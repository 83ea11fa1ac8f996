"""What a trained model does: encode, decode and mix, by encoder and decoder alone (thesis, 3.2)."""

import keras

from lorbms_tf.lorbms import mixing, objective
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.encoder import Encoder


class MixingAutoencoder(keras.Model):
    """Encoder and decoder, and the mixing of codes between them.

    Images are float [B, H, W, 3] in [-1, 1], codes [B, 2, 2, C], masks bool [B, 4] (True where
    the quadrant is replaced).

    Attributes:
      encoder, decoder: as they are trained.
      averaged: both as their moving average has them, or None.
      tau: threshold of algorithm 1.
    """

    @property
    def generator(self) -> tuple[Encoder, Decoder]:
        """Encoder and decoder that make codes and images: the averaged, where there are any."""
        return self.averaged or (self.encoder, self.decoder)

    def infer(self, batch: dict) -> dict:
        """`render` of a held-out batch, by name: mask, reconstruction, mix."""
        made = self.render(batch["reference"], batch["candidates"], batch["distances"])
        return dict(zip(("mask", "reconstruction", "mix"), made, strict=True))

    def encode(self, images):
        """Images [B, H, W, 3] -> codes [B, 2, 2, C] (eq. 3.1)."""
        return self.generator[0](images, training=False)

    def decode(self, codes):
        """Codes [B, 2, 2, C] -> images [B, H, W, 3] in [-1, 1] (eq. 3.2)."""
        return self.generator[1](codes, training=False)

    def call(self, images, training=False):
        """Reconstructions I^ = Dec(Enc(I)), images in and out [B, H, W, 3]."""
        return self.decode(self.encode(images))

    def mix(self, reference, candidates, mask):
        """I_mix: the masked quadrants taken over from their candidates, in latent space.

        Reference [B, H, W, 3], candidates [B, 4, H, W, 3], mask bool [B, 4] -> [B, H, W, 3]. With
        --grid=4 the mask may also have a bit a cell, [B, 16].
        """
        return self.decode(self.mix_codes(reference, candidates, mask)[1])

    def mix_codes(self, reference, candidates, mask):
        """The codes (f_ref, f_mix), each [B, 2, 2, C], of what `mix` takes."""
        codes, replacements = objective.encode_scene(self.generator[0], reference, candidates)
        return codes, mixing.mix_corners(codes, replacements, mask)

    def render(self, reference, candidates, distances):
        """What a trained model makes of drawn candidates: (mask, I^_ref, I_mix).

        Reference [B, H, W, 3], candidates [B, 4, H, W, 3], distances [B, 4] -> bool [B, 4] and
        two times images [B, H, W, 3].
        """
        mask = mixing.replacement_mask(distances, self.tau)
        codes, mixed = self.mix_codes(reference, candidates, mask)
        return mask, self.decode(codes), self.decode(mixed)
