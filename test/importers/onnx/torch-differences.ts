/** Where a file of PyTorch's exporters has other counts than the network, by how much, and why. */

export interface Known {
  readonly reason: string;
  /** By file: elements counted as learned beyond the network's, and elements that are unclassified. */
  readonly files: Readonly<Record<string, readonly [number, number]>>;
}

export interface Strays {
  readonly reason: string;
  /** By file: modules whose own parameters are not all in their row. */
  readonly files: Readonly<Record<string, number>>;
}

export const known: readonly Known[] = [
  {
    reason: "the tied matrix is in the file a second time, turned over (a note says so)",
    files: {
      "decoder_tied.script": [19200, 0],
      "decoder_tied.script-opset13": [19200, 0],
      "decoder_tied.script-inputs": [19200, 0],
      "decoder_tied.script-half": [19200, 0],
    },
  },
  {
    reason: "the mask is a buffer without a name",
    files: {
      "decoder_tied.dynamo": [0, 256],
      "decoder_tied.dynamo-opset21": [0, 256],
    },
  },
  {
    reason: "weights are inputs of the graph, which nothing tells from data",
    files: {
      "decoder_tied.script-no-values": [-118784, 256],
      "lstm.script-no-values": [-414417, 0],
      "mixed.script-no-values": [-656, 0],
      "mobilenet_v3_small.script-no-values": [-2530744, 0],
      "resnet18.script-no-values": [-11679912, 0],
      "transformer_encoder.script-no-values": [-183360, 0],
      "unet.script-no-values": [-117458, 0],
    },
  },
  {
    reason: "initial states of zeros may be learned ones",
    files: {
      "gru_rnn.dynamo": [0, 192],
      "lstm_no_bias.dynamo": [0, 384],
      "timm/sequencer2d_s.dynamo": [0, 221184],
    },
  },
  {
    reason: "the auxiliary classifier is not exported",
    files: {
      "inception_v3_aux.script": [-3324904, 0],
      "inception_v3_aux.dynamo": [-3324904, 0],
    },
  },
  {
    reason: "positions, and what is made of them, were worked out ahead: the copies are not the parameters",
    files: {
      "maxvit_t.script": [-28392, 403368],
      "maxvit_t.dynamo": [-28392, 403368],
      "swin_t.script": [-23322, 331338],
      "swin_t.dynamo": [-23322, 335356],
      "swin_v2_t.script": [-6144, 6594],
      "swin_v2_t.dynamo": [-12288, 1386688],
      "timm/coatnet_nano_rw_224.script": [-38836, 1786344],
      "timm/coatnet_nano_rw_224.dynamo": [-6760, 96040],
      "timm/efficientformer_l1.dynamo": [-392, 19208],
      "timm/gcvit_xxtiny.script": [-42428, 1949612],
      "timm/gcvit_xxtiny.dynamo": [-7436, 105644],
      "timm/levit_128s.dynamo": [-2178, 63954],
      "timm/test_vit.dynamo": [-6464, 6464],
    },
  },
  {
    reason: "weight normalization was worked out: 120 numbers of 130",
    files: {
      "mixed.script": [-10, 0],
      "mixed.dynamo": [-10, 0],
      "mixed.script-opset9": [-10, 0],
      "mixed.script-opset13": [-10, 0],
      "mixed.script-inputs": [-10, 0],
      "mixed.script-half": [-10, 0],
      "mixed.dynamo-opset21": [-10, 0],
    },
  },
  {
    reason: "the exporter merges equal tensors",
    files: {
      "mobilenet_v2_fresh.script": [-12808, 0],
      "mobilenet_v2_fresh.dynamo": [-1000, 0],
      "resnet18_fresh.script": [-3840, 0],
    },
  },
  {
    reason: "a buffer that is added to what a layer gives looks like its bias (a note says so)",
    files: {
      "siamese.script": [4, 0],
    },
  },
  {
    reason: "tokens, positions and scales have names of their own, which buffers have too",
    files: {
      "timm/cait_xxs24_224.script": [-37632, 37632],
      "timm/convit_tiny.script": [-37864, 37864],
      "timm/crossvit_tiny_240.script": [-76608, 76608],
      "timm/deit_tiny_patch16_224.script": [-38016, 38016],
      "timm/efficientformer_l1.script": [-3024, 3024],
      "timm/pit_ti_224.script": [-46720, 46720],
      "timm/poolformer_s12.script": [-3328, 3328],
      "timm/resmlp_12_224.script": [-9216, 9216],
      "timm/test_vit.script": [-6528, 6528],
      "timm/visformer_tiny.script": [-131712, 131712],
      "timm/xcit_nano_12_p16_224.script": [-128, 128],
      "transformer_encoder.script": [-1280, 1280],
      "transformer_encoder.script-training": [-1280, 1280],
      "transformer_encoder.script-unfolded": [-1280, 1280],
      "transformer_encoder.script-inputs": [-1280, 1280],
      "transformer_encoder.script-half": [-1280, 1280],
      "vit_b_16.script": [-152064, 152064],
    },
  },
  {
    reason: "numbers of the computation, which nothing tells from learned ones",
    files: {
      "timm/convit_tiny.dynamo": [0, 40],
      "timm/edgenext_xx_small.dynamo": [0, 32],
    },
  },
  {
    reason: "biases of queries and values are joined with zeros for the keys",
    files: {
      "timm/eva02_tiny_patch14_224.dynamo": [-4608, 6912],
    },
  },
  {
    reason: "the positions were worked out ahead",
    files: {
      "timm/xcit_nano_12_p16_224.dynamo": [0, 12544],
    },
  },
];

export const strays: readonly Strays[] = [
  {
    reason: "a matrix without a bias has no name, and its list of modules was not called",
    files: {
      "decoder_tied.script": 2,
      "decoder_tied.script-opset13": 2,
      "decoder_tied.script-inputs": 2,
      "decoder_tied.script-half": 2,
    },
  },
  {
    reason: "the auxiliary classifier is not exported",
    files: {
      "inception_v3_aux.script": 3,
      "inception_v3_aux.dynamo": 3,
    },
  },
  {
    reason: "the exporter merges equal tensors",
    files: {
      "mobilenet_v2_fresh.dynamo": 1,
    },
  },
  {
    reason: "positions were worked out ahead, biases of keys set to zero",
    files: {
      "swin_v2_t.script": 24,
      "swin_v2_t.dynamo": 36,
    },
  },
  {
    reason: "tables of positions were gathered ahead",
    files: {
      "timm/coatnet_nano_rw_224.script": 9,
      "timm/coatnet_nano_rw_224.dynamo": 9,
      "timm/gcvit_xxtiny.script": 12,
      "timm/gcvit_xxtiny.dynamo": 6,
    },
  },
  {
    reason: "scales have names that buffers have too",
    files: {
      "timm/efficientformer_l1.script": 14,
      "timm/poolformer_s12.script": 12,
      "timm/resmlp_12_224.script": 24,
    },
  },
  {
    reason: "no tensor of the projection has a name, since its bias was joined",
    files: {
      "timm/eva02_tiny_patch14_224.dynamo": 12,
    },
  },
  {
    reason: "the positions were worked out ahead",
    files: {
      "timm/xcit_nano_12_p16_224.dynamo": 1,
    },
  },
];
