/* doc */
static int *f(int a) {
  return 0;
}
struct s {
  int a;
};
typedef struct {
  int b;
} t;
enum e { A };
#define M(x) (x)
int g(void);
