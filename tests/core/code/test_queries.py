"""What the queries make of code as it is written today."""

from __future__ import annotations

import pytest

from core.chunking.parsing import outline


def symbols(source: str, language: str) -> list[str]:
    """Kind and qualified name of what is found."""
    found = outline(source.encode(), language, "x")
    assert found is not None
    return [f"{symbol.kind} {symbol.qualified_name}" for symbol in map(found.symbol, found.owners())]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            """@Observable
final class Model: Sendable {
    var count: Int { items.count }
    static let shared = Model()
    init?(name: String) { }
    deinit { }
    subscript(index: Int) -> Item { items[index] }
    func load() async throws(NetworkError) -> [Item] { return [] }
}
actor Bank { func deposit(_ x: Int) { } }
""",
            [
                *("class Model", "function Model.count", "function Model.init", "function Model.deinit"),
                *("function Model.subscript", "function Model.load", "class Bank", "function Bank.deposit"),
            ],
        ),
        (
            """indirect enum Expr<T> {
    case add(Expr, Expr)
    func eval() -> Int { 0 }
}
struct Pair<A, B>: ~Copyable where A: P {
    static prefix func - (p: Pair) -> Pair { p }
    static func <= (l: Pair, r: Pair) -> Bool { true }
}
infix operator <=>: ComparisonPrecedence
func <=> (a: Int, b: Int) -> Bool { a == b }
""",
            ["enum Expr", "function Expr.eval", "struct Pair", "function Pair.-", "function Pair.<=", "function <=>"],
        ),
        (
            """public extension Array where Element == Int {
    var total: Int { reduce(0, +) }
}
extension Model: Hashable {
    static func == (l: Model, r: Model) -> Bool { true }
}
protocol Store: AnyObject {
    func get(_ key: String) -> Item?
    static func + (l: Self, r: Self) -> Self
}
macro made() = #externalMacro(module: "a", type: "b")
#Preview {
    V()
}
func last() { }
""",
            [
                *("impl Array", "function Array.total", "impl Model", "function Model.=="),
                *("interface Store", "function Store.get", "function Store.+", "macro made", "function last"),
            ],
        ),
    ],
)
def test_swift(source: str, expected: list[str]) -> None:
    assert symbols(source, "swift") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            """enum class Color(val rgb: Int) {
    RED(0xFF0000);

    fun hex(): String = rgb.toString(16)

    companion object {
        const val MAX = 3
        fun of(x: Int): Color = RED
    }
}
enum class Empty
""",
            ["enum Color", "function Color.hex", "constant Color.MAX", "function Color.of", "enum Empty"],
        ),
        (
            """fun interface Transform<in A, out B> {
    fun invoke(a: A): B
}
sealed interface Result<out T> {
    data class Ok<T>(val value: T) : Result<T>
    data object None : Result<Nothing>
}
interface Plain
@JvmInline
value class Id(val raw: String)
""",
            [
                *("interface Transform", "function Transform.invoke", "interface Result", "class Result.Ok"),
                *("class Result.None", "interface Plain", "class Id"),
            ],
        ),
        (
            """class Account(private val owner: String) : Base(owner), Closeable by delegate {
    constructor(id: Int) : this(id.toString()) {
        println(id)
    }
    var balance: Int = 0
        private set(value) {
            field = value
        }
    val isEmpty get() = balance == 0
}
operator fun Account.plus(other: Account): Account = this
val List<Int>.second: Int get() = this[1]
private const val TAG = "x"
internal fun `does the thing`() {}
""",
            [
                *("class Account", "function Account.constructor", "function Account.isEmpty", "function plus"),
                *("function second", "constant TAG", "function does the thing"),
            ],
        ),
    ],
)
def test_kotlin(source: str, expected: list[str]) -> None:
    assert symbols(source, "kotlin") == expected


def test_annotations_are_no_signature() -> None:
    found = outline(b"@JvmInline\nvalue class Id(val raw: String)\n", "kotlin", "x.kt")
    assert found is not None
    assert found.symbol(next(found.owners())).signature == "value class Id(val raw: String)"


COMPONENTS = """export const Button = React.memo(function Inner(props: Props) {
  return <button>{props.label}</button>;
});
const Both = memo(forwardRef<A, B>((props, ref) => <a ref={ref} />));
export const Page = observer(({ a }) => {
  const local = useMemo(() => a, [a]);
  function helper() { return 1; }
  return <p>{local}</p>;
});
export const Connected = connect(mapState)(Inner);
const Title = styled.h1`
  font-size: 1em;
`;
"""
STORES = """export const useStore = create<State>()((set) => ({
  inc: () => set((s) => ({ count: s.count + 1 })),
}));
export const cart = defineStore("cart", () => {
  const limits = [1, 2];
  function add() { limits.push(1); }
  return { add };
});
export const slice = createSlice({ name: "x", reducers: { del(state) { } } });
const shared = require("shared");
"""
DEFAULTS = """export default class extends Base { m() {} }
export default () => { return 1; };
export default function named() { return 1; }
test.each([1, 2])("adds %i", (n) => { f(n); });
module.exports.helper = function (b) { return b; };
"""


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        (
            "tsx",
            COMPONENTS,
            [
                *("function Button", "function Both", "function Page", "function Page.helper"),
                *("function Connected", "constant Title"),
            ],
        ),
        (
            "typescript",
            STORES,
            [
                *("constant useStore", "function useStore.inc", "constant cart", "function cart.add"),
                *("constant slice", "function slice.del"),
            ],
        ),
        (
            "javascript",
            DEFAULTS,
            [
                *("class default", "function default.m", "function default", "function named"),
                *("function adds %i", "function helper"),
            ],
        ),
    ],
)
def test_what_a_call_or_a_default_export_makes_has_a_name(language: str, source: str, expected: list[str]) -> None:
    assert symbols(source, language) == expected


EXPRESSIONS = """module.exports = function renderFile(a) { return a; };
exports.read = exports.readNow = function readFile(a) { return a; };
exports['write'] = function* () { yield 1; };
app.Handler = class { run() {} };
module.exports = class Shape { test(a) {} };
later = function () { return 1; };
defineGetter(request, 'ip', function ip() {
  return list.map(function each(x) { return x; });
});
(function main() { start(); })();
describe('a', function named() {
  it('b', function () {});
});
const options = { open: function openFile() {}, all: function* () {} };
isA(class Mine { run() {} });
"""


@pytest.mark.parametrize("language", ["javascript", "typescript", "tsx"])
def test_functions_and_classes_have_the_name_they_are_assigned_to_or_their_own(language: str) -> None:
    assert symbols(EXPRESSIONS, language) == [
        *("function renderFile", "function readNow", "function write", "class Handler", "function Handler.run"),
        *("class Shape", "function Shape.test", "function later", "function ip", "function ip.each", "function main"),
        *("function a", "function a.b", "constant options", "function options.open", "function options.all"),
        *("class Mine", "function Mine.run"),
    ]


def test_comments_do_not_make_a_member_of_a_group_the_group() -> None:
    source = b"const (\n\t// Low is first.\n\tLow = iota // so\n\t// High is last.\n\tHigh\n\t// The end.\n)\n"
    found = outline(source, "go", "x.go")
    assert found is not None
    assert [(found.symbol(one).name, found.rows(one)) for one in found.owners()] == [("Low", (1, 2)), ("High", (3, 4))]


TYPEDEFS = """typedef void (*handler)(void *context, int event);
typedef const char *(*named)(int);
typedef struct node *node_ref;
typedef char **lines;
typedef int triple[3];
typedef int run(void);
typedef struct zip ZIP;
typedef void (callback)(int event);
typedef signed char int8_t;
static struct node **next(struct node *of);
number (tonumber)(int index);
static char *(text)(int of) { return 0; }
"""
CONVERSIONS = """struct Flag {
  explicit operator bool() const { return is_set; }
  operator std::string() const;
  operator int *() const { return nullptr; }
  Flag &operator=(Flag const &) = delete;
  Flag &operator()(int by) { return *this; }
  bool operator<(Flag const &other) const { return true; }
  static constexpr value_type (min)() { return 0; }
};
Flag::operator bool() const { return false; }
Flag &Flag::operator=(Flag &&) = default;
bool operator&&(Flag const &, Flag const &) = delete;
"""


@pytest.mark.parametrize("language", ["c", "cpp"])
def test_types_that_are_pointers_arrays_or_functions(language: str) -> None:
    assert symbols(TYPEDEFS, language) == [
        *("type handler", "type named", "type node_ref", "type lines", "type triple", "type run", "type ZIP"),
        *("type callback", "type int8_t", "function next", "function tonumber", "function text"),
    ]


def test_conversions_and_deleted_operators() -> None:
    assert symbols(CONVERSIONS, "cpp") == [
        *("struct Flag", "function Flag::operator bool", "function Flag::operator std::string"),
        *("function Flag::operator int *", "function Flag::operator=", "function Flag::operator()"),
        *("function Flag::operator<", "function Flag::min", "function Flag::operator bool", "function Flag::operator="),
        "function operator&&",
    ]
    found = outline(CONVERSIONS.encode(), "cpp", "x.cc")
    assert found is not None
    assert {"operator bool", "operator std::string"} <= {found.symbol(one).name for one in found.owners()}


def test_members_of_interfaces_and_annotations() -> None:
    go = "type Reader interface {\n\tio.Closer\n\t// Read reads.\n\tRead(into []byte) (int, error)\n}\n"
    go += "func use(of interface{ Close() }) {}\n"
    assert symbols(go, "go") == ["interface Reader", "function Reader.Read", "function use"]
    java = "@interface Marked {\n  int times() default 1;\n  String[] value();\n}\n"
    assert symbols(java, "java") == ["interface Marked", "function Marked.times", "function Marked.value"]
    typescript = "interface Maker<T> {\n  new (size: number): T;\n  (one: T): void;\n}\n"
    assert symbols(typescript, "typescript") == ["interface Maker", "function Maker.new"]


@pytest.mark.parametrize("language", ["javascript", "typescript", "tsx", "vue"])
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "test('x', () => {\n  const b = { error: (e) => (e1 = e), done: (e) => { run(e) } };\n});\n",
            ["x", "x.done"],
        ),
        ("function Layout() {\n  return h(Theme, { 'layout-top': () => h(Banner) });\n}\n", ["Layout"]),
        ("class A {\n  get() {\n    return { f: x => x, g() { return 1 } };\n  }\n}\n", ["A", "A.get", "A.get.g"]),
        # Outside functions they are what a module is made of.
        ("export const theme = { top: () => h(Banner) };\n", ["theme", "theme.top"]),
        ("defineStore('a', { getters: { double: (s) => s.n * 2 } });\n", ["double"]),
    ],
)
def test_values_of_a_function_are_part_of_it(language: str, source: str, expected: list[str]) -> None:
    code = f"<script>\n{source}</script>\n" if language == "vue" else source
    assert [name.partition(" ")[2] for name in symbols(code, language)] == expected
