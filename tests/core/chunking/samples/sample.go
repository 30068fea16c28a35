package p

// F does.
func F(a int) error {
	var local = 1
	return nil
}

func (s *S[T]) M() {}
type S struct {
	a int
}
type (
	I interface { X() }
	A = int
)
const C = 1
