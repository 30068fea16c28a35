# ruff: noqa: E501 - source code in a line
"""What is a test, in the frameworks of each language, and what only helps tests."""

from __future__ import annotations

import pytest

from core.chunking.parsing import outline

CASES: list[tuple[str, str, str, set[str]]] = [
    # A mark of its own, or nothing.
    (
        "csharp",
        "T.cs",
        '[TestFixture]\nclass T\n{\n    class Dummy { public int P { get; } }\n    int Helper() { return 1; }\n    [Test, Category("a")]\n    public void A() {}\n    [Category("b")] [Test] void B() {}\n    [TestCase(1)]\n    [TestCase(2)]\n    void C(int x) {}\n    [SetUp] void S() {}\n}\n',
        {"T", "T.A", "T.B", "T.C"},
    ),
    (
        "csharp",
        "T.cs",
        'public class T {\n    [Fact] public void A() {}\n    [Xunit.TheoryAttribute, InlineData(1)] void B(int x) {}\n    private string Test(int x) { return ""; }\n}\n',
        {"T.A", "T.B"},
    ),
    (
        "csharp",
        "T.cs",
        "namespace N;\n[TestClass]\npublic class T {\n    [DataTestMethod]\n    [DataRow(1)]\n    public void A(int x) {}\n    [TestInitialize] public void I() {}\n}\n",
        {"N.T", "N.T.A"},
    ),
    (
        "java",
        "T.java",
        "class T {\n  @ParameterizedTest\n  @ValueSource(ints = {1})\n  void a(int x) {}\n  @BeforeEach void setUp() {}\n  @Nested class In { @Test void b() {} int c() { return 1; } }\n}\n",
        {"T.a", "T.In.b"},
    ),
    (
        "java",
        "T.java",
        "public class T extends TestCase {\n  public void testA() {}\n  public void setUp() {}\n  private int testData(int x) { return 1; }\n  static class Stub { void testB() {} }\n}\n",
        {"T", "T.testA"},
    ),
    (
        "kotlin",
        "T.kt",
        "class T {\n  @Test\n  fun `adds two`() {}\n  private fun helper() = 1\n  class Fake { fun x() = 2 }\n}\n",
        {"T.adds two"},
    ),
    (
        "swift",
        "T.swift",
        "final class T: XCTestCase {\n  override func setUp() {}\n  func testA() throws {}\n  func testData(_ x: Int) -> Int { 1 }\n  struct Mock { func testB() {} }\n}\n",
        {"T", "T.testA"},
    ),
    (
        "swift",
        "T.swift",
        '@Suite struct T {\n  @Test("adds") func adds() {}\n  func helper() {}\n}\n@Test func free() {}\n',
        {"T", "T.adds", "free"},
    ),
    (
        "swift",
        "T.swift",
        "extension BufferTest {\n  func testPeek() throws {}\n  func peeked() -> Int { 1 }\n}\nextension Latest {\n  func testRun() {}\n}\nextension Buffer.SliceTests {\n  @MainActor func testSlice() async {}\n}\nextension TestHelper { func testIt() {} }\n",
        {"BufferTest", "BufferTest.testPeek", "Buffer.SliceTests", "Buffer.SliceTests.testSlice"},
    ),
    (
        "rust",
        "a.rs",
        "#[cfg(test)]\nmod tests {\n    use super::*;\n    struct Fake;\n    fn helper() {}\n    #[test]\n    fn works() { fn inner() {} }\n    #[rstest]\n    #[case(1)]\n    fn cases(x: u8) {}\n}\n",
        {"tests", "tests::works", "tests::cases"},
    ),
    (
        "rust",
        "a.rs",
        '#[cfg(test)]\nfn helper() {}\n#[cfg(test)]\nimpl A { fn stub() {} }\n#[tokio::test(flavor = "multi_thread")]\nasync fn works() {}\n',
        {"works"},
    ),
    # Names, where a framework goes by them.
    (
        "go",
        "a_test.go",
        "package p\nfunc TestA(t *testing.T) {}\nfunc BenchmarkB(b *testing.B) {}\nfunc FuzzC(f *testing.F) {}\nfunc ExampleD() {}\nfunc TestMain(m *testing.M) {}\nfunc TestHelper(t testing.TB, x int) {}\nfunc helper() {}\ntype TestData struct {\n\tx int\n}\nfunc (s *Suite) TestE() {}\n",
        {"TestA", "BenchmarkB", "FuzzC", "ExampleD", "Suite.TestE"},
    ),
    (
        "python",
        "tests/test_a.py",
        "import pytest\n\n@pytest.fixture(scope='module')\ndef test_client(): pass\n\nclass TestA:\n    x = 1\n    def test_a(self): pass\n    async def test_b(self): pass\n    def helper(self): pass\n    class Fake:\n        def test_connection(self): pass\n\nclass Client:\n    def test_me(self): pass\n\ndef helper():\n    def test_inner(): pass\n",
        {"TestA", "TestA.test_a", "TestA.test_b"},
    ),
    (
        "python",
        "a.py",
        "class A(django.test.TestCase):\n    def setUp(self): pass\n    def test_a(self): pass\n\nclass B:\n    def test_b(self): pass\n",
        {"A", "A.test_a"},
    ),
    (
        "php",
        "A.php",
        "<?php\nnamespace T;\nfinal class A extends TestCase\n{\n    protected function setUp(): void {}\n    public function testA(): void {}\n    /** @test */\n    public function it_adds() {}\n    #[Test]\n    public function adds() {}\n    public function provider() {}\n}\n",
        {"T\\A", "T\\A\\testA", "T\\A\\it_adds", "T\\A\\adds"},
    ),
    (
        "ruby",
        "test/a_test.rb",
        "module M\n  class ATest < Base\n    def setup; end\n    def test_a; end\n    class Fake\n      def test_b; end\n    end\n  end\nend\n",
        {"M::ATest", "M::ATest::test_a"},
    ),
    # Registrations.
    (
        "ruby",
        "a_spec.rb",
        "RSpec.describe 'a' do\n  def helper\n  end\n  context 'c' do\n    it 'b' do\n    end\n  end\nend\n",
        {"a", "a::c", "a::c::b"},
    ),
    (
        "javascript",
        "a.test.js",
        "const data = {a: 1};\nfunction helper() {}\ndescribe('d', () => {\n  function inner() {}\n  it('works', async () => {});\n  test.only('too', () => {});\n});\n",
        {"d", "d.works", "d.too"},
    ),
    (
        "javascript",
        "shape.js",
        "class Shape {\n  test(value) {}\n  describe() {}\n}\nconst tools = { it(a = 'x') {}, test: function () {} };\ntest.expected = function () {};\n",
        set(),
    ),
    (
        "typescript",
        "types.ts",
        "interface Type {\n  describe(text: string): this;\n  test<T>(value: T): boolean;\n  it: string;\n}\n",
        set(),
    ),
    (
        "typescript",
        "a.test.ts",
        "suite(`s`, () => {\n  test.each([1])('%i', () => {});\n  it.each`a`('b', () => {});\n  it (\n    'adds', () => {});\n});\n",
        {"s", "s.%i", "s.b", "s.adds"},
    ),
    (
        "cpp",
        "a.cc",
        "class Fixture : public ::testing::Test {\n  int helper() { return 1; }\n};\nTEST_F(Fixture, Works) {\n}\nTEST_P(Fixture, Too) {\n}\nint run() { return TEST(1); }\n",
        {"Fixture::Works", "Fixture::Too"},
    ),
]


@pytest.mark.parametrize(("language", "path", "source", "tests"), CASES)
def test_what_is_a_test_and_what_only_stands_beside_one(language: str, path: str, source: str, tests: set[str]) -> None:
    found = outline(source.encode(), language, path)
    assert found is not None
    assert {found.symbol(one).qualified_name for one in found.owners() if found.symbol(one).is_test} == tests
