import { format } from './format';
import { polyline, type Sparkline as Points } from './sparklines';

const [WIDTH, HEIGHT] = [84, 22];

/** A small line, with the latest value as text. */
export function Sparkline({ sparkline, className }: { sparkline: Points; className?: string }) {
  const latest = sparkline.points.at(-1);
  if (!latest) return null;
  return (
    <>
      <svg className={className} width={WIDTH} height={HEIGHT} aria-hidden>
        <polyline points={polyline(sparkline, WIDTH, HEIGHT)} />
      </svg>
      <span className="digits" title="Transactions per second; the line is the last hour">
        {format(latest.value, 'PER_SECOND')}
      </span>
    </>
  );
}
