/** Names that a checkpoint asks Python to import: which are a tensor's or plain data's, and which no model needs. */

import type { Diagnostic } from "../../src/diagnostics.ts";
import type { PickledGlobal } from "../../src/ir/model.ts";
import { maxPickleGlobals } from "../../src/limits/pickle.ts";
import type { PickleImport } from "../../src/wire/pickle-value.ts";
import { dtypeOf, storageTypeOf } from "./dtypes.ts";

/** What builds tensors and plain containers. Read here as what it stands for, never imported. */
const plain: ReadonlySet<string> = new Set([
  "collections.OrderedDict",
  "collections.Counter",
  "collections.defaultdict",
  "builtins.set",
  "builtins.frozenset",
  "builtins.dict",
  "builtins.list",
  "builtins.tuple",
  "builtins.int",
  // Of Python 2, which protocol 2 still writes for the types themselves.
  "builtins.long",
  "builtins.unicode",
  "builtins.xrange",
  "builtins.float",
  "builtins.bool",
  "builtins.str",
  "builtins.bytes",
  "builtins.bytearray",
  "builtins.complex",
  "builtins.slice",
  "builtins.range",
  "builtins.object",
  "copyreg._reconstructor",
  "copyreg.__newobj__",
  "copyreg.__newobj_ex__",
  "_codecs.encode",
  "numpy.ndarray",
  "numpy.dtype",
  "numpy.core.multiarray._reconstruct",
  "numpy.core.multiarray.scalar",
  "numpy.core.numeric._frombuffer",
  "torch.Size",
  "torch.Tensor",
  "torch.device",
  "torch.autograd.variable.Variable",
  "torch.nn.parameter.Parameter",
  "torch.nn.parameter.Buffer",
  "torch.nn.parameter.UninitializedParameter",
  "torch.nn.parameter.UninitializedBuffer",
  "torch.serialization._get_layout",
  "torch.storage.TypedStorage",
  "torch._tensor._rebuild_from_type_v2",
  "torch._utils._rebuild_tensor",
  "torch._utils._rebuild_tensor_v2",
  "torch._utils._rebuild_tensor_v3",
  "torch._utils._rebuild_parameter",
  "torch._utils._rebuild_parameter_with_state",
  "torch._utils._rebuild_qtensor",
  "torch._utils._rebuild_sparse_tensor",
  "torch._utils._rebuild_sparse_csr_tensor",
  "torch._utils._rebuild_nested_tensor",
  "torch.nested._internal.nested_tensor._rebuild_njt",
  "torch.nested._internal.nested_tensor.NestedTensor",
  "torch._utils._rebuild_meta_tensor_no_storage",
  "torch._utils._rebuild_wrapper_subclass",
  "torch._utils._rebuild_xla_tensor",
  "torch._utils._rebuild_device_tensor_from_numpy",
  "torch._utils._rebuild_device_tensor_from_cpu_tensor",
  "torch.per_tensor_affine",
  "torch.per_tensor_symmetric",
  "torch.per_channel_affine",
  "torch.per_channel_symmetric",
  "torch.per_channel_affine_float_qparams",
]);

/** Old homes of the same things. */
const moved: readonly (readonly [from: RegExp, to: string])[] = [
  [/^__builtin__\./, "builtins."],
  [/^copy_reg\./, "copyreg."],
  [/^numpy\._core\./, "numpy.core."],
  [/^torch\.tensor\./, "torch._tensor."],
  [/^torch\.nn\.Parameter$/, "torch.nn.parameter.Parameter"],
];

/** The name as newest Python, NumPy and PyTorch have it. */
export function newestName(name: string): string {
  for (const [from, to] of moved) if (from.test(name)) return name.replace(from, to);
  return name;
}

/** What a DTensor says of the mesh of processes that it is spread over. */
const distributed =
  /^torch\.distributed\.(_?tensor|device_mesh|_mesh_layout)\.(\w+\.)*(DTensor|DTensorSpec|TensorMeta|ShardOrderEntry|_?Shard|_StridedShard|Replicate|_?Partial|_?DeviceMesh|_MeshLayout|_FlatLayout)$/;

/** What a distributed checkpoint says of its tensors and files, and a sharded tensor of its shards. */
const spread =
  /^torch\.distributed\.(checkpoint\.metadata|checkpoint\.filesystem|_shard\.(sharded_tensor\.(metadata|api|shard)|metadata|sharding_spec\.\w+)|remote_device)\.(_?[A-Z]\w*|_remote_device)$/;

/** Whether a name is one of those that tensors and plain containers are made with. */
export function isPlainGlobal(name: string): boolean {
  const newest = newestName(name);
  return (
    plain.has(newest) ||
    storageTypeOf(newest) !== null ||
    dtypeOf(newest) !== null ||
    // Classes that a TorchScript archive brings along, and its marks for lists.
    newest.startsWith("__torch__.") ||
    /^torch\.jit\._pickle\.(build_\w+list|restore_type_tag)$/.test(newest) ||
    /^numpy\.(dtypes\.)?\w*(float|int|uint|bool|complex)\w*$/i.test(newest) ||
    /^torch\.(cuda\.)?\w+Tensor$/.test(newest) ||
    distributed.test(newest) ||
    spread.test(newest)
  );
}

/**
 * Modules that run programs, open connections, touch files or load code. A pickle that names one of them does so to be
 * executed on loading: no model is made of them.
 */
const dangerousModules: readonly string[] = [
  // Programs, threads, the network, files, memory.
  "os posix nt ntpath posixpath nturl2path sys subprocess _posixsubprocess commands popen2 pty tty socket",
  "_socket socketserver ssl select asyncio multiprocessing threading _thread signal shutil tempfile",
  "pathlib glob fileinput io _io codecs ctypes _ctypes cffi mmap fcntl resource msvcrt winreg _winreg",
  "sqlite3 zipfile tarfile linecache gc atexit platform getpass webbrowser antigravity tkinter urllib",
  "urllib2 httplib http ftplib smtplib poplib imaplib telnetlib",
  // What imports, compiles, calls or runs code.
  "builtins builtin importlib _frozen_importlib _frozen_importlib_external imp pkgutil zipimport runpy",
  "code codeop types inspect operator _operator functools _functools timeit cProfile profile pdb bdb",
  "trace cgitb doctest unittest test.support pydoc idlelib lib2to3 _pyrepl logging.config _aix_support",
  "_osx_support site venv ensurepip pip setuptools distutils six",
  // What reads a pickle, or another text that can ask for as much.
  "marshal pickle _pickle cPickle dill cloudpickle shelve joblib sklearn.utils._joblib pandas.read_pickle",
  "pandas.io.pickle yaml.load yaml.full_load yaml.unsafe_load",
  // The same in PyTorch and NumPy.
  "torch.hub torch.load torch.save torch.serialization torch.storage torch.package torch.jit",
  "torch._inductor torch._dynamo.guards torch.fx.experimental.symbolic_shapes.ShapeEnv",
  "torch.ops.load_library torch.classes.load_library torch.distributed.rpc torch.utils.cpp_extension",
  "torch.utils.bottleneck torch.utils.collect_env torch.utils._config_module",
  "torch.utils.data.datapipes.utils torch.utils.hipify torchvision.datasets.utils numpy.testing",
  "numpy.f2py numpy.distutils numpy.ctypeslib numpy.load numpy.lib.npyio numpy.fromfile",
  // And elsewhere.
  "requests aiohttp httpx paramiko fabric pexpect psutil sh plumbum IPython",
].flatMap((names) => names.split(" "));

const dangerous = new RegExp(`^(${dangerousModules.join("|").replaceAll(".", "\\.")})(\\.|$)`);

/** What programs do pickle of those modules, and what does nothing but build or hold a value. */
const harmless: ReadonlySet<string> = new Set([
  "functools.partial",
  "types.SimpleNamespace",
  // Bytes in memory, as the extra state of Transformer Engine's modules.
  "_io.BytesIO",
  "_io.StringIO",
  "pathlib.Path",
  "pathlib.PosixPath",
  "pathlib.WindowsPath",
  "pathlib.PurePath",
  "pathlib.PurePosixPath",
  "pathlib.PureWindowsPath",
  "pathlib._local.Path",
  "pathlib._local.PosixPath",
  "pathlib._local.WindowsPath",
]);

/** Inside of another module, what is named like one of these is that one: `numpy.os.system` is `os.system`. */
const modules: ReadonlySet<string> = new Set([
  ...["os", "posix", "nt", "sys", "subprocess", "builtins", "importlib", "ctypes", "socket", "shutil"],
  ...[
    "runpy",
    "marshal",
    "pickle",
    "cPickle",
    "pty",
    "pkgutil",
    "webbrowser",
    "multiprocessing",
    "threading",
  ],
]);

/** A module, or what every function and class has beside what it is for: its globals, its classes below. */
function isWayOut(part: string): boolean {
  return modules.has(part) || /^__\w+__$/.test(part);
}

/** Whether a name has no place in a model: loading the file with Python would be asking for trouble. */
export function isSuspicious({
  name,
  module,
  nested,
}: Pick<PickleImport, "name" | "nested"> & Partial<PickleImport>): boolean {
  if (nested) return false;
  const newest = newestName(name);
  // A number in a registry can stand for anything; no PyTorch ever wrote one.
  if (/^extension /.test(newest)) return true;
  if (isPlainGlobal(newest) || harmless.has(newest)) return false;
  const inside = module === undefined ? [] : name.slice(module.length + 1).split(".");
  return dangerous.test(newest) || inside.some(isWayOut);
}

/** The names worth a look, suspicious ones first. `at` is the entry of the archive. */
export function foreignGlobals(imports: readonly PickleImport[], at: string): PickledGlobal[] {
  return imports
    .filter(({ name }) => !isPlainGlobal(name))
    .map((one) => ({ name: one.name, count: one.count, at, byte: one.at, suspicious: isSuspicious(one) }))
    .sort((a, b) => Number(b.suspicious) - Number(a.suspicious))
    .slice(0, maxPickleGlobals);
}

/** A line for each suspicious name, and one for all others. */
export function globalDiagnostics(globals: readonly PickledGlobal[]): Diagnostic[] {
  const found: Diagnostic[] = globals
    .filter(({ suspicious }) => suspicious)
    .map(({ name, count, at }) => ({ code: "pickle-suspicious", args: { name, count }, at }));
  const others = globals.filter(({ suspicious }) => !suspicious);
  const [first] = others;
  if (first)
    found.push({ code: "pickle-foreign", args: { names: others.length, first: first.name }, at: first.at });
  return found;
}
