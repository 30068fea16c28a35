namespace a {
template <typename T>
class C : D {
 public:
  C();
  void m() const { }
};
}
void a::C::n() {
}
TEST(Suite, Name) {
}
using X = int;
