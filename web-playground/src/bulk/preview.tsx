import { Skeleton, Text } from '@mantine/core';
import classes from './bulk.module.css';
import type { Refusal } from './targets';

interface Props {
  /** Undefined until it is known. */
  affected: readonly { id: string; name: string; detail?: string }[] | undefined;
  refused: readonly Refusal[];
  /** `restarted` */
  participle: string;
}

/** What will be done, and to which instances it will not. */
export function Preview({ affected, refused, participle }: Props) {
  if (!affected) return <Skeleton height={72} mt="md" animate={false} />;
  const willBe = (count: number) => `${count === 1 ? '1 instance' : `${count} instances`} will be`;
  return (
    <>
      <Text size="sm" fw={600} mt="md" role="status">
        {affected.length ? `${willBe(affected.length)} ${participle}` : `No instance will be ${participle}`}
      </Text>
      {affected.length > 0 && (
        <ul className={classes.list} tabIndex={0} aria-label={`Instances that will be ${participle}`}>
          {affected.map(({ id, name, detail }) => (
            <Line key={id} name={name} detail={detail} />
          ))}
        </ul>
      )}
      {refused.length > 0 && (
        <>
          <Text size="sm" fw={600} mt="md">
            {willBe(refused.length)} left as {refused.length === 1 ? 'it is' : 'they are'}
          </Text>
          <ul className={classes.list} tabIndex={0} aria-label="Instances that will be left as they are">
            {refused.map(({ id, name, reason }) => (
              <Line key={id} name={name} detail={reason} />
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function Line({ name, detail }: { name: string; detail?: string }) {
  return (
    <li className={classes.line}>
      <span className={classes.name}>{name}</span>
      {detail && <span className={classes.reason}>{detail}</span>}
    </li>
  );
}
