package a;

/** Doc. */
@Entity
public class A<T> {
  A() {}
  @Test
  void m(int a) {}
  enum E { P }
}
interface I { void x(); }
