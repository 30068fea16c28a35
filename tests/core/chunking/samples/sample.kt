package a

/** Doc. */
class A {
  fun m() {}
}
fun String.ext(): Int = 1
object O {
}
