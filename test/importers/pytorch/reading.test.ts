import { describe, expect, test } from "vitest";
import { isPlainGlobal, isSuspicious } from "../../../importers/pytorch/globals.ts";
import type { ByteSource } from "../../../src/io/byte-source.ts";
import { countedSource } from "../../../src/io/counted.ts";
import { inspect } from "../../../src/public/index.ts";
import { buildZip } from "../../wire/zip-builder.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** `before`, then a hole of zeros, then `after`: a file of gigabytes that takes no room. */
function holed(before: Uint8Array, hole: number, after: Uint8Array): ByteSource {
  return {
    name: "big.pt",
    size: before.length + hole + after.length,
    read: async (offset, length) => {
      const out = new Uint8Array(length);
      for (let i = 0; i < length; i++) {
        const at = offset + i;
        out[i] = before[at] ?? after[at - before.length - hole] ?? 0;
      }
      return out;
    },
  };
}

const elements = 1_000_000_000;

/** A dictionary of one float32 tensor of a billion elements. */
function pickle(): Uint8Array {
  const storage = `(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuI${elements}\ntQ`;
  return bytesOf(
    `\x80\x02}X\x08\x00\x00\x00w.weightctorch._utils\n_rebuild_tensor_v2\n(${storage}K\x00(I1000000\nI1000\nt(I1000\nK\x01t\x89)tRs.`,
  );
}

describe("only metadata is read", () => {
  test("of a stream of 4 GB", async () => {
    const head = bytesOf(
      "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.}X\x0d\x00\x00\x00little_endian\x88s.",
    );
    const before = Buffer.concat([
      head,
      pickle(),
      bytesOf("]X\x01\x00\x00\x000a.\x00\xca\x9a;\x00\x00\x00\x00"),
    ]);
    const source = countedSource(holed(before, 4 * elements, new Uint8Array(0)));
    const report = await inspect(source);
    expect(report.totals.parameters).toBe(elements);
    expect(report.file.variant).toBe("checkpoint-legacy");
    expect(source.count.bytes).toBeLessThan(200_000);
  });

  test("of an archive of 4 GB", async () => {
    const size = 4 * elements;
    const parts = [
      { name: "a/data.pkl", data: pickle() },
      { name: "a/data/0", data: "", size, compressedSize: size },
    ];
    const small = buildZip(parts);
    const directory = small.readUInt32LE(small.length - 6);
    const whole = buildZip(parts, { directoryOffset: directory + size });
    const source = countedSource(holed(whole.subarray(0, directory), size, whole.subarray(directory)));
    const report = await inspect(source);
    expect(report.totals.parameters).toBe(elements);
    expect(report.file.variant).toBe("checkpoint-zip");
    expect(source.count.bytes).toBeLessThan(200_000);
  });
});

describe("what is stated and not read", () => {
  test("TorchScript of PyTorch 1.0", async () => {
    const file = buildZip([
      { name: "net/model.json", data: "{}" },
      { name: "net/tensors/0", data: "1234" },
    ]);
    await expect(inspect(file)).rejects.toMatchObject({
      kind: "unsupported-feature",
      message: expect.stringContaining("TorchScript of PyTorch 1.0 or 1.1"),
    });
  });

  test("tar archives of PyTorch 0.1", async () => {
    const file = new Uint8Array(1024);
    file.set(bytesOf("storages"));
    file.set(bytesOf("ustar"), 257);
    await expect(inspect(file)).rejects.toMatchObject({
      kind: "unsupported-feature",
      message: expect.stringContaining("a tar archive of PyTorch 0.1"),
    });
  });
});

describe("names", () => {
  test.each([
    "collections.OrderedDict",
    "torch._utils._rebuild_tensor_v2",
    "torch.FloatStorage",
    "torch.cuda.HalfStorage",
    "torch.float8_e4m3fn",
    "torch.storage.UntypedStorage",
    "numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy.dtypes.Float32DType",
    "__builtin__.set",
    "copy_reg._reconstructor",
    "torch.LongTensor",
    "__torch__.torch.nn.modules.conv.Conv2d",
  ])("%s is plain", (name) => {
    expect(isPlainGlobal(name)).toBe(true);
    expect(isSuspicious({ name })).toBe(false);
  });

  test.each([
    "os.system",
    "posix.popen",
    "nt.system",
    "subprocess.Popen",
    "builtins.eval",
    "__builtin__.exec",
    "builtins.getattr",
    "builtins.__import__",
    "importlib.import_module",
    "runpy.run_path",
    "pty.spawn",
    "socket.socket",
    "webbrowser.open",
    "shutil.rmtree",
    "sys.modules",
    "torch.hub.load",
    "torch.load",
    "torch.serialization.load",
    "torch.utils.cpp_extension.load_inline",
    "numpy.load",
    "operator.attrgetter",
    "six.moves.builtins.eval",
    "pandas.io.pickle.read_pickle",
    "extension 5",
    // Ways to run code that scanners of pickles once let through, by their published advisories.
    "torch.utils.bottleneck.__main__.run_cprofile",
    "torch._dynamo.guards.GuardBuilder.get",
    "torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression",
    "torch.utils.collect_env.run",
    "torch.utils.data.datapipes.utils.decoder.basichandlers",
    "torch.utils._config_module.ConfigModule.load_config",
    "torch.jit.unsupported_tensor_ops.execWrapper",
    "torch._inductor.codecache.compile_file",
    "numpy.testing._private.utils.runstring",
    "numpy.f2py.crackfortran.getlincoef",
    "lib2to3.pgen2.grammar.Grammar.loads",
    "idlelib.debugobj.ObjectTreeItem.SetText",
    "trace.Trace.runctx",
    "profile.Profile.run",
    "cProfile.run",
    "code.InteractiveInterpreter.runcode",
    "doctest.debug_script",
    "ensurepip._run_pip",
    "distutils.file_util.write_file",
    "asyncio.unix_events._UnixSubprocessTransport._start",
    "pydoc.locate",
    "operator.methodcaller",
    "ctypes.CDLL",
  ])("%s is suspicious", (name) => {
    expect(isSuspicious({ name })).toBe(true);
  });

  test.each([
    "torch.nn.modules.conv.Conv2d",
    "models.yolo.Model",
    "argparse.Namespace",
    "omegaconf.dictconfig.DictConfig",
    "pathlib.PosixPath",
    "ostrich.system",
    "torch.optim.adam.Adam",
    "test.Net",
    "torch.fx.graph_module.GraphModule",
    "torch.utils.data.dataset.TensorDataset",
    "numpy.memmap",
  ])("%s is somebody's class, no more", (name) => {
    expect(isPlainGlobal(name)).toBe(false);
    expect(isSuspicious({ name })).toBe(false);
  });
});
