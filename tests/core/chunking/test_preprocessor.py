"""C, C++ and C# with macros and directives that no grammar takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chunking.parsing import outline
from core.chunking.preprocessor import preprocessed


def symbols(source: str, language: str) -> list[str]:
    """Kind, qualified name and lines of what is found."""
    found = outline(source.encode(), language, "x")
    assert found is not None
    named = [(found.symbol(one), found.rows(one)) for one in found.owners()]
    return [f"{symbol.kind} {symbol.qualified_name} {first + 1}-{last + 1}" for symbol, (first, last) in named]


UNREAL = """UCLASS(Blueprintable, meta=(Foo="bar"))
class GAME_API AHero final : public AActor, public IFoo
{
    GENERATED_BODY()

public:
    UPROPERTY(EditAnywhere, BlueprintReadWrite)
    int32 Health = 100;

    UFUNCTION(BlueprintCallable)
    void Heal(int32 Amount);
};

UENUM(BlueprintType)
enum class EState : uint8
{
    Idle UMETA(DisplayName = "Idle"),
};
"""
QT = """class Q_DECL_EXPORT Window : public QWidget
{
    Q_OBJECT
    Q_PROPERTY(int size READ size WRITE setSize NOTIFY sizeChanged)

public:
    Q_INVOKABLE void reload();

signals:
    void sizeChanged(int size);

public Q_SLOTS:
    void onTimer();
};
"""
LIBRARY = """LIB_BEGIN_NAMESPACE
class A_API B_API Base { int a; };
class Derived LIB_FINAL : public Base { void f() LIB_OVERRIDE; };
template <class T>
class LIB_API Vec : public std::vector<T> {
public:
  static LIB_INLINE Vec* create(int a) LIB_NOEXCEPT { return nullptr; }
};
LIB_API Base::Base(int size)
    : size_(size)
{
}
LIB_END_NAMESPACE
"""
KERNEL = """MODULE_LICENSE("GPL");
static __always_inline int __must_check foo(struct bar *b) __acquires(lock)
{
	return 0;
}
SYSCALL_DEFINE3(read, unsigned int, fd, char __user *, buf, size_t, count)
{
	return ksys_read(fd, buf, count);
}
DEFINE_MUTEX(big_lock)
static int __init init_me(void)
{
	return 0;
}
module_init(init_me);
struct bar {
	int x;
} __packed;
BEGIN_DECLS
int api(int a) ATTR_NONNULL(1) ATTR_PURE;
END_DECLS
"""
DEFINES = """#define A 1 // words {
#define C(x) do { \\
   f(x); /* note
   and more */ \\
 } while (0)
#define D(x) /* none */ \\
  x
int y(void);
"""

LISTS = """static const char *const names[] = {
#define NAME(x) #x,
    ALL_NAMES
#undef NAME
};
#define FIRST(x) do { \\
} while (0)
enum color {
#define COLOR(x) x,
#include "colors.def"
#undef COLOR
    LAST
};
struct shape sizes[] = { { 1,
#pragma once
2 } };
enum color mixed(int a) {
#define LOCAL(x) (x)
    return LOCAL(a);
}
struct kept {
#define INSIDE(x) (x)
    int a;
};
#define SECOND(x) (x)
"""


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        (
            "cpp",
            UNREAL,
            ["class AHero 2-12", "function AHero::Heal 11-11", "enum EState 15-18"],
        ),
        (
            "cpp",
            QT,
            [
                *("class Window 1-14", "function Window::reload 7-7", "function Window::sizeChanged 10-10"),
                "function Window::onTimer 13-13",
            ],
        ),
        (
            "cpp",
            LIBRARY,
            [
                *("class Base 2-2", "class Derived 3-3", "function Derived::f 3-3", "class Vec 4-8"),
                *("function Vec::create 7-7", "function Base::Base 9-12"),
            ],
        ),
        (
            "c",
            KERNEL,
            [
                "function foo 2-5",
                "function read 6-9",
                "function init_me 11-14",
                "struct bar 16-18",
                "function api 20-20",
            ],
        ),
        (
            "c",
            LISTS,
            [
                *("macro FIRST 6-7", "enum color 8-13", "function mixed 17-20", "macro mixed::LOCAL 18-18"),
                *("struct kept 21-24", "macro kept::INSIDE 22-22", "macro SECOND 25-25"),
            ],
        ),
        ("c", DEFINES, ["constant A 1-1", "macro C 2-5", "macro D 6-7", "function y 8-8"]),
    ],
    ids=["unreal", "qt", "library", "kernel", "lists", "defines"],
)
def test_macros_cost_no_symbol(language: str, source: str, expected: list[str]) -> None:
    assert symbols(source, language) == expected


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("TEST_F(Stack, PushesOne) {\n  int s;\n}\n", "Stack::PushesOne"),
        ("TYPED_TEST(Suite, Typed) { }\n", "Suite::Typed"),
        ('TEST_CASE("grows, always", "[vector]")\n{\n  SECTION("twice") { f(); }\n}\n', "grows, always"),
        ('SCENARIO("a cart is emptied") {\n  GIVEN("a cart") { }\n}\n', "a cart is emptied"),
        ('TEMPLATE_TEST_CASE("of types", "[t]", int, long) {\n}\n', "of types"),
        ("BOOST_AUTO_TEST_SUITE(all)\n\nBOOST_AUTO_TEST_CASE(adds)\n{\n}\n\nBOOST_AUTO_TEST_SUITE_END()\n", "adds"),
        ("BOOST_FIXTURE_TEST_CASE(subtracts, Fixture)\n{\n}\n", "subtracts"),
        ("TEST_METHOD(divides)\n{\n}\n", "divides"),
    ],
)
def test_a_test_has_the_name_that_its_macro_is_given(source: str, name: str) -> None:
    found = outline(f"int before();\n\n{source}\nint after();\n".encode(), "cpp", "x.cpp")
    assert found is not None
    assert [found.symbol(one).qualified_name for one in found.owners()] == ["before", name, "after"]


CUT = """class A {
public:
#ifdef X
    void f(int a) {
#else
    void f(long a) {
#endif
        g();
    }
#if 0
    void old( {
#endif
    void h() {}
};
"""
HEADS = """#if defined(_WIN32)
int WINAPI WinMain(HINSTANCE a, HINSTANCE b, LPSTR c, int d)
#else
int main(int argc, char** argv)
#endif
{
    return 0;
}
namespace n {
#ifdef FAST
struct S : FastBase {
#else
struct S {
#endif
    int x;
};
}
"""
ELSE = """int c(int x)
{
    if (x
#ifdef DEBUG
        && x > 2
#endif
        ) {
        return 1;
    }
#if defined(A)
    else if (x) {
        return 3;
    }
#endif
    else { return 4; }
}
int d(void) { return 1; }
"""
TARGETS = """using System;
#if NET6_0
public partial class Foo : IBar {
#else
public class Foo {
#endif
    public int X { get; set; }
    public void M(
#if NET
        int a
#else
        long a
#endif
    ) { }
}
"""


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        ("cpp", CUT, ["class A 1-14", "function A::f 4-9", "function A::h 13-13"]),
        ("cpp", HEADS, ["function WinMain 2-8", "module n 9-17", "struct n::S 11-16"]),
        ("c", ELSE, ["function c 1-16", "function d 17-17"]),
        ("csharp", TARGETS, ["class Foo 3-15", "function Foo.X 7-7", "function Foo.M 8-14"]),
    ],
    ids=["members", "heads", "else", "targets"],
)
def test_of_a_condition_that_cuts_through_a_definition_one_branch_stays(
    language: str, source: str, expected: list[str]
) -> None:
    assert symbols(source, language) == expected


def test_a_record_struct_is_a_struct() -> None:
    source = "public record struct P(int X);\npublic record Q(int X);\npublic record class R(int X);\n"
    assert symbols(source, "csharp") == ["struct P 1-1", "class Q 2-2", "class R 3-3"]


WORDS = (
    "class",
    "API",
    "X",
    "(",
    ")",
    "{",
    "}",
    ";",
    ":",
    '"a"',
    "\n",
    "\n#if A\n",
    "\n#else\n",
    "\n#endif\n",
    "/*",
    "*/",
)


@given(st.lists(st.sampled_from(WORDS), max_size=30), st.booleans())
def test_every_byte_and_row_stays_where_it_is(words: list[str], macros: bool) -> None:
    source = " ".join(words).encode()
    text, _ = preprocessed(source, macros=macros)
    assert len(text) == len(source)
    assert [found.start() for found in re.finditer(rb"\n", text)] == [
        found.start() for found in re.finditer(rb"\n", source)
    ]


@pytest.mark.parametrize(
    ("source", "comments", "signature"),
    [
        ("#define A 1 // old words\nint x(void);\n", ["// old words"], "#define A 1"),
        ("#define A 1 /* of\n  two lines */\nint x(void);\n", ["/* of\n  two lines */"], "#define A 1"),
        ('#define A "//no" /* yes */\nint x(void);\n', ["/* yes */"], '#define A "//no"'),
        ("#define F(x) \\\n  g(x) /* a */ + 1\nint x(void);\n", ["/* a */"], "#define F(x)"),
    ],
)
@pytest.mark.parametrize("language", ["c", "cpp"])
def test_a_comment_behind_a_macro_is_no_part_of_it(
    language: str, source: str, comments: list[str], signature: str
) -> None:
    found = outline(source.encode(), language, "x")
    assert found is not None
    ranges = found.comments_between(0, len(source))
    assert [source[start:end] for start, end in ranges] == comments
    assert found.symbol(next(found.owners())).signature == signature


def test_branches_that_open_different_numbers_of_braces_are_code_inside_a_function() -> None:
    source = """int f(int a) {
#ifdef A
  if (a) {
#else
  a = 1;
#endif
  b();
#ifdef A
  }
#endif
  return a;
}
int g(void) { return 1; }
"""
    assert symbols(source, "c") == ["function f 1-12", "function g 13-13"]


def test_branches_around_names_for_c_are_code() -> None:
    source = """#ifdef __cplusplus
extern "C" {
#else
#define bool int
#endif
int f(void);
#ifdef __cplusplus
}
#endif
"""
    assert [one for one in symbols(source, "c") if one.startswith("function")] == ["function f 6-6"]
